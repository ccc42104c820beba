package db

import (
	"strings"
	"sync"
	"sync/atomic"
)

// spanNameCacheSize bounds the remembered names; statements built from filters are many, fixed ones few.
const spanNameCacheSize = 1024

var (
	spanNames     sync.Map // query text → name
	spanNameCount atomic.Int64
)

// SpanName returns the low-cardinality summary of a statement by the OpenTelemetry conventions: its verb and the first
// table it touches, such as "SELECT tasks".
func SpanName(query string) string {
	if name, ok := spanNames.Load(query); ok {
		return name.(string) //nolint:errcheck // only strings are stored
	}
	name := summarize(query)
	if spanNameCount.Load() < spanNameCacheSize {
		if _, loaded := spanNames.LoadOrStore(strings.Clone(query), name); !loaded {
			spanNameCount.Add(1)
		}
	}
	return name
}

// summarize reads words until the verb and its table are known.
func summarize(query string) string {
	verb, want := "", false
	rest := query
	for range 400 { // words looked at; a table comes early or not at all
		var word string
		word, rest = nextWord(rest)
		if word == "" {
			break
		}
		upper := strings.ToUpper(word)
		if verb == "" {
			verb = upper
			want = verb == "UPDATE" || verb == "TRUNCATE" || verb == "CALL"
			continue
		}
		if verb == "WITH" {
			if upper == "SELECT" || upper == "INSERT" || upper == "UPDATE" || upper == "DELETE" {
				verb, want = upper, upper == "UPDATE"
			}
			continue
		}
		switch upper {
		case "FROM", "INTO", "JOIN", "TABLE":
			want = true
			continue
		case "IGNORE", "ONLY", "LOW_PRIORITY", "QUICK", "IF", "NOT", "EXISTS", "LATERAL":
			continue
		}
		if want {
			if upper == "SELECT" || upper == "(" { // a derived table: its own FROM is the one that counts
				want = false
				continue
			}
			return verb + " " + strings.Map(unquote, word)
		}
	}
	if verb == "" {
		return "SQL"
	}
	return verb
}

func unquote(r rune) rune {
	if r == '`' || r == '"' {
		return -1
	}
	return r
}

// nextWord returns the next identifier, keyword or "(", without comments, literals and other punctuation.
func nextWord(s string) (word, rest string) {
	for len(s) > 0 {
		switch c := s[0]; {
		case strings.HasPrefix(s, "--"):
			_, s, _ = strings.Cut(s, "\n")
		case strings.HasPrefix(s, "/*"):
			_, s, _ = strings.Cut(s, "*/")
		case c == '\'':
			_, s, _ = strings.Cut(s[1:], "'")
		case c == '(':
			return "(", s[1:]
		case isWordByte(c):
			i := 1
			for i < len(s) && isWordByte(s[i]) {
				i++
			}
			return s[:i], s[i:]
		default:
			s = s[1:]
		}
	}
	return "", ""
}

func isWordByte(c byte) bool {
	return c == '_' || c == '.' || c == '`' || c == '"' || c == '$' || c >= 0x80 ||
		'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// txSpanName shortens the driver's method names that have no statement.
func txSpanName(method string) string {
	switch {
	case strings.HasSuffix(method, "begin_tx"):
		return "BEGIN"
	case strings.HasSuffix(method, "commit"):
		return "COMMIT"
	case strings.HasSuffix(method, "rollback"):
		return "ROLLBACK"
	case strings.HasSuffix(method, "ping"):
		return "PING"
	}
	return method
}
