package traces

import (
	"strings"
	"unicode/utf8"
)

// cut returns text that is valid UTF-8 and at most maxText bytes.
func cut(text string) string { return cutTo(text, maxText) }

func cutTo(text string, limit int) string {
	text = strings.ToValidUTF8(text, "\ufffd")
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}
