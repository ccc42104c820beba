package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

// module is the prefix of import paths that are folders of this repository.
const module = "github.com/tallyboard/tallyboard/"

type variable struct {
	name     string
	fallback string
	required bool
	secret   bool
	meaning  string
	programs []string
}

func (v *variable) shownDefault() string {
	switch {
	case v.required:
		return "required"
	case v.fallback == "":
		return ""
	}
	return "`" + v.fallback + "`"
}

// variablesOf reads the struct typeName of the package in dir, following nested structs of this repository.
func variablesOf(dir, typeName, prefix string) ([]*variable, error) {
	spec, file, err := findType(dir, typeName)
	if err != nil {
		return nil, err
	}
	structure, ok := spec.Type.(*ast.StructType)
	if !ok {
		return nil, nil // a named scalar without a tag configures nothing
	}
	var out []*variable
	for _, field := range structure.Fields.List {
		tag := reflect.StructTag("")
		if field.Tag != nil {
			text, err := strconv.Unquote(field.Tag.Value)
			if err != nil {
				return nil, fmt.Errorf("%s.%s: %w", dir, typeName, err)
			}
			tag = reflect.StructTag(text)
		}
		name, options, _ := strings.Cut(tag.Get("env"), ",")
		switch name {
		case "-":
		case "":
			nested, err := nestedVariables(dir, file, field.Type, prefix+tag.Get("envPrefix"))
			if err != nil {
				return nil, err
			}
			out = append(out, nested...)
		default:
			out = append(out, &variable{
				name: prefix + name, fallback: tag.Get("envDefault"), secret: tag.Get("secret") == "true",
				required: strings.Contains(options, "required") || strings.Contains(options, "notEmpty"),
				meaning:  meaning(field),
			})
		}
	}
	return out, nil
}

func nestedVariables(dir string, file *ast.File, typ ast.Expr, prefix string) ([]*variable, error) {
	switch t := typ.(type) {
	case *ast.Ident:
		if !t.IsExported() {
			return nil, nil
		}
		return variablesOf(dir, t.Name, prefix)
	case *ast.SelectorExpr:
		pkg, ok := t.X.(*ast.Ident)
		if !ok {
			return nil, nil
		}
		if path := importPath(file, pkg.Name); strings.HasPrefix(path, module) {
			return variablesOf(strings.TrimPrefix(path, module), t.Sel.Name, prefix)
		}
	}
	return nil, nil
}

func importPath(file *ast.File, name string) string {
	for _, imp := range file.Imports {
		path, err := strconv.Unquote(imp.Path.Value)
		if err != nil {
			continue
		}
		local := filepath.Base(path)
		if imp.Name != nil {
			local = imp.Name.Name
		}
		if local == name {
			return path
		}
	}
	return ""
}

func findType(dir, name string) (*ast.TypeSpec, *ast.File, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, e.Name()), nil, parser.ParseComments)
		if err != nil {
			return nil, nil, err
		}
		for _, decl := range file.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok || gen.Tok != token.TYPE {
				continue
			}
			for _, spec := range gen.Specs {
				if ts, ok := spec.(*ast.TypeSpec); ok && ts.Name.Name == name {
					return ts, file, nil
				}
			}
		}
	}
	return nil, nil, fmt.Errorf("no type %s in %s", name, dir)
}

// meaning is the field's comment without its name at the start, as one line.
func meaning(field *ast.Field) string {
	text := field.Doc.Text()
	if text == "" {
		text = field.Comment.Text()
	}
	text = strings.Join(strings.Fields(text), " ")
	if len(field.Names) > 0 {
		if rest, ok := strings.CutPrefix(text, field.Names[0].Name+" "); ok {
			rest = strings.TrimPrefix(rest, "is ")
			text = rest
		}
	}
	first, _, _ := strings.Cut(text, " ")
	if text == "" || strings.Contains(first, "://") {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
