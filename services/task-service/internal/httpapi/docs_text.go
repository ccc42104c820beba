package httpapi

import (
	"encoding/json"
	"fmt"
	"html/template"
	"regexp"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// typeView says in a few words which values a schema allows, with links to the schemas it names.
func typeView(ref *openapi3.SchemaRef) template.HTML {
	if ref == nil || ref.Value == nil {
		return ""
	}
	if name := strings.TrimPrefix(ref.Ref, "#/components/schemas/"); ref.Ref != "" {
		return template.HTML(fmt.Sprintf(`<a href="#schema-%[1]s">%[1]s</a>`, template.HTMLEscapeString(name))) //nolint:gosec // escaped
	}
	schema := ref.Value
	var parts []string
	switch {
	case schema.Type.Is(openapi3.TypeArray):
		parts = append(parts, "array of "+string(typeView(schema.Items)))
	case schema.Type != nil && len(*schema.Type) > 0:
		parts = append(parts, (*schema.Type)[0])
	default:
		parts = append(parts, "any value")
	}
	if schema.Format != "" {
		parts[0] += " (" + template.HTMLEscapeString(schema.Format) + ")"
	}
	parts = append(parts, limitsOf(schema)...)
	return template.HTML(strings.Join(parts, ", ")) //nolint:gosec // each part is escaped or our own
}

func limitsOf(s *openapi3.Schema) []string {
	var parts []string
	add := func(format string, args ...any) {
		parts = append(parts, template.HTMLEscapeString(fmt.Sprintf(format, args...)))
	}
	if s.Nullable {
		add("or null")
	}
	if len(s.Enum) > 0 {
		add("one of %s", enumeration(s.Enum))
	}
	switch {
	case s.MaxLength != nil && s.MinLength > 0:
		add("%d–%d characters", s.MinLength, *s.MaxLength)
	case s.MaxLength != nil:
		add("up to %d characters", *s.MaxLength)
	}
	switch {
	case s.Min != nil && s.Max != nil:
		add("%v–%v", *s.Min, *s.Max)
	case s.Min != nil:
		add("at least %v", *s.Min)
	}
	if s.MaxItems != nil {
		add("up to %d items", *s.MaxItems)
	}
	if s.Pattern != "" {
		add("matching %s", s.Pattern)
	}
	if s.Default != nil {
		add("default %v", s.Default)
	}
	return parts
}

// exampleText shows text as it is and everything else as indented JSON.
func exampleText(example any) string {
	switch v := example.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	b, err := json.MarshalIndent(example, "", "  ")
	if err != nil {
		return fmt.Sprint(example)
	}
	return string(b)
}

var (
	codeSpan   = regexp.MustCompile("`([^`]+)`")
	strongSpan = regexp.MustCompile(`\*\*([^*]+)\*\*`)
)

// markdown renders the little of Markdown our descriptions use: paragraphs, lists, code and strong.
func markdown(text string) template.HTML {
	if text == "" {
		return ""
	}
	var b strings.Builder
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		if strings.HasPrefix(block, "- ") {
			b.WriteString("<ul>")
			for item := range strings.SplitSeq(strings.TrimPrefix(block, "- "), "\n- ") {
				b.WriteString("<li>" + spans(item) + "</li>")
			}
			b.WriteString("</ul>")
			continue
		}
		b.WriteString("<p>" + spans(block) + "</p>")
	}
	return template.HTML(b.String()) //nolint:gosec // spans escapes
}

func spans(text string) string {
	text = template.HTMLEscapeString(text)
	text = codeSpan.ReplaceAllString(text, "<code>$1</code>")
	return strongSpan.ReplaceAllString(text, "<strong>$1</strong>")
}
