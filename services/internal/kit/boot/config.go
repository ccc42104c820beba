// Package boot starts and ends a service: configuration from the environment, signals, a listener with a readable
// error, and a shutdown in a fixed order.
package boot

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
)

// LoadConfig reads a T from environ ("NAME=value" entries, such as os.Environ()), by the tags of
// github.com/caarlos0/env: `env:"NAME"`, `envDefault:"…"`, `env:"NAME,required"`. The error has one line per variable at
// fault and names it; values are not repeated, for they may be secret. A secret variable NAME may come from a file that
// NAME_FILE names. A T with a Validate() error method is validated.
func LoadConfig[T any](environ []string) (T, error) {
	values := env.ToMap(environ)
	if err := readSecretFiles(values, Variables(*new(T))); err != nil {
		return *new(T), err
	}
	cfg, err := env.ParseAsWithOptions[T](env.Options{Environment: values})
	if err != nil {
		return cfg, readable[T](err)
	}
	if v, ok := any(&cfg).(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return cfg, fmt.Errorf("configuration: %w", err)
		}
	}
	return cfg, nil
}

// readable rewrites the library's errors, which name Go fields, so that they name variables.
func readable[T any](err error) error {
	var all env.AggregateError
	if !errors.As(err, &all) {
		return fmt.Errorf("configuration: %w", err)
	}
	names := variables(reflect.TypeFor[T](), "", map[string]variable{})
	var lines []string
	for _, e := range all.Errors {
		lines = append(lines, explain(e, names))
	}
	if len(lines) == 1 {
		return errors.New("configuration: " + lines[0])
	}
	return errors.New("configuration:\n  " + strings.Join(lines, "\n  "))
}

func explain(err error, names map[string]variable) string {
	var notSet env.VarIsNotSetError
	var empty env.EmptyVarError
	var parse env.ParseError
	switch {
	case errors.As(err, &notSet):
		return notSet.Key + " must be set"
	case errors.As(err, &empty):
		return empty.Key + " must not be empty"
	case errors.As(err, &parse):
		v, ok := names[parse.Name]
		if !ok {
			v.name = parse.Name
		}
		if v.secret {
			return v.name + " is not valid"
		}
		return fmt.Sprintf("%s must be %s: %s", v.name, kindName(parse.Type), rootCause(parse.Err))
	}
	return err.Error()
}

func rootCause(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}

func kindName(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "a duration such as 1.5s or 2m"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64:
		return "a whole number"
	case t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64:
		return "a number"
	}
	return "a valid value"
}

type variable struct {
	name   string
	secret bool
}

// variables maps the names of Go fields to those of their variables.
func variables(t reflect.Type, prefix string, into map[string]variable) map[string]variable {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return into
	}
	for field := range fields(t) {
		name, _, _ := strings.Cut(field.Tag.Get("env"), ",")
		if name == "" {
			variables(field.Type, prefix+field.Tag.Get("envPrefix"), into)
			continue
		}
		if _, taken := into[field.Name]; !taken {
			into[field.Name] = variable{prefix + name, field.Tag.Get("secret") == "true"}
		}
	}
	return into
}

// Variable describes one variable of a configuration, for documentation and its tests.
type Variable struct {
	// Name is the variable's name, Default its value when unset.
	Name, Default string
	// Required variables have no default.
	Required bool
	// Secret variables are masked in dumps.
	Secret bool
}

// Variables lists the variables of a configuration struct in the order of its fields.
func Variables(cfg any) []Variable {
	return appendVariables(nil, reflect.TypeOf(cfg), "")
}

func appendVariables(list []Variable, t reflect.Type, prefix string) []Variable {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return list
	}
	for field := range fields(t) {
		name, options, _ := strings.Cut(field.Tag.Get("env"), ",")
		switch name {
		case "":
			list = appendVariables(list, field.Type, prefix+field.Tag.Get("envPrefix"))
		case "-":
		default:
			list = append(list, Variable{
				Name: prefix + name, Default: field.Tag.Get("envDefault"),
				Required: strings.Contains(options, "required") || strings.Contains(options, "notEmpty"),
				Secret:   field.Tag.Get("secret") == "true",
			})
		}
	}
	return list
}

// mask stands for a secret in dumps.
const mask = "***"

// Masked returns the configuration as log attributes by variable name. Fields tagged `secret:"true"` show that they are
// set, not their value; if such a value is a URL, everything but its password is shown. Passwords in other URLs are
// masked as well.
func Masked(cfg any) []slog.Attr {
	return masked(nil, reflect.Indirect(reflect.ValueOf(cfg)), "")
}

func masked(attrs []slog.Attr, v reflect.Value, prefix string) []slog.Attr {
	if v.Kind() != reflect.Struct {
		return attrs
	}
	for field := range fields(v.Type()) {
		i := field.Index[0]
		name, _, _ := strings.Cut(field.Tag.Get("env"), ",")
		switch name {
		case "":
			attrs = masked(attrs, reflect.Indirect(v.Field(i)), prefix+field.Tag.Get("envPrefix"))
		case "-":
		default:
			attrs = append(attrs, slog.String(prefix+name, show(v.Field(i).Interface(), field.Tag.Get("secret") == "true")))
		}
	}
	return attrs
}

func show(value any, secret bool) string {
	text := fmt.Sprint(value)
	if !strings.Contains(text, "://") {
		if secret && text != "" {
			return mask
		}
		return text
	}
	parts := strings.Split(text, ",") // NATS takes a list of URLs
	for i, part := range parts {
		parts[i] = maskURL(part, secret)
	}
	return strings.Join(parts, ",")
}

// maskURL hides the password, and the parameters of a secret URL: drivers accept passwords there, too.
func maskURL(text string, secret bool) string {
	u, err := url.Parse(text)
	if err != nil {
		return mask
	}
	if secret && u.RawQuery != "" {
		u.RawQuery = mask
	}
	if u.User == nil {
		return u.String()
	}
	user := u.User.Username()
	if _, has := u.User.Password(); has {
		user += ":" + mask
	}
	u.User = nil
	return strings.Replace(u.String(), "://", "://"+user+"@", 1)
}

// fields yields the exported fields of a struct type.
func fields(t reflect.Type) func(yield func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for f := range t.Fields() {
			if f.IsExported() && !yield(f) {
				return
			}
		}
	}
}
