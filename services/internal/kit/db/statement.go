package db

import (
	"strings"
)

// maxStatementWords bounds what is read of a statement: its table comes early or not at all.
const maxStatementWords = 400

// maxSummaryLength is the length of a summary at most, in bytes, as the OpenTelemetry conventions have it.
const maxSummaryLength = 255

// otherOperation stands for verbs that are not in operations.
const otherOperation = "_OTHER"

// operations are the verbs that statements are told apart by; more would only be noise.
var operations = map[string]bool{
	"SELECT": true, "INSERT": true, "UPDATE": true, "DELETE": true, "REPLACE": true, "MERGE": true, "COPY": true,
	"BEGIN": true, "START": true, "COMMIT": true, "ROLLBACK": true, "SAVEPOINT": true, "RELEASE": true, "SET": true, "SHOW": true,
	"CREATE": true, "ALTER": true, "DROP": true, "TRUNCATE": true, "RENAME": true, "ANALYZE": true, "OPTIMIZE": true, "VACUUM": true,
	"CALL": true, "EXPLAIN": true, "LOCK": true, "UNLOCK": true, "LISTEN": true, "NOTIFY": true, "PING": true, "VALUES": true,
}

// summarize returns what a statement does, its verb, and the first table it touches, both "" if there is none. Constants,
// comments and all else stay out of it.
func summarize(query string) (operation, collection string) {
	s := summary{rest: query}
	for range maxStatementWords {
		word := s.next()
		if word == "" || s.read(word) {
			break
		}
	}
	if s.verb != "" && !operations[s.verb] {
		s.verb = otherOperation
	}
	return s.verb, s.table
}

// summary is the state of a statement's reading.
type summary struct {
	rest  string
	verb  string
	table string

	previous string
	want     bool   // the next name is a table
	function bool   // …unless it is called
	nesting  []bool // open parentheses, true for those around a subquery
}

// read takes the next word and reports whether the table is known.
func (s *summary) read(word string) (done bool) {
	upper := strings.ToUpper(word)
	defer func() { s.previous = upper }()
	switch {
	case upper == "(":
		s.nesting = append(s.nesting, false)
		return false
	case upper == ")":
		if n := len(s.nesting); n > 0 {
			s.nesting = s.nesting[:n-1]
		}
		return false
	case s.previous == "(" && (upper == "SELECT" || upper == "WITH" || upper == "INSERT" || upper == "UPDATE" || upper == "DELETE"):
		s.nesting[len(s.nesting)-1] = true
		s.want = false // a derived table: its own FROM is the one that counts
	}
	if s.verb == "" || s.verb == "WITH" {
		s.begin(upper)
		return false
	}
	switch upper {
	case "FROM", "JOIN":
		if s.insideQuery() && s.previous != "DISTINCT" { // not EXTRACT(… FROM …), not IS DISTINCT FROM
			s.want, s.function = true, true
		}
	case "INTO", "TABLE", "TABLES":
		s.want, s.function = true, false
	case "IGNORE", "ONLY", "LOW_PRIORITY", "QUICK", "IF", "NOT", "EXISTS", "LATERAL":
	default:
		if !s.want {
			return false
		}
		s.want = false
		if s.function && strings.HasPrefix(strings.TrimLeft(s.rest, " "), "(") {
			return false // FROM unnest(…)
		}
		s.table = strings.Map(unquote, word)
		return true
	}
	return false
}

// begin takes a word before the verb is known. WITH is only the way to one.
func (s *summary) begin(upper string) {
	switch {
	case s.verb == "":
		s.verb = upper
	case upper == "SELECT" || upper == "INSERT" || upper == "UPDATE" || upper == "DELETE":
		s.verb = upper
	}
	s.want, s.function = s.verb == "UPDATE" || s.verb == "TRUNCATE" || s.verb == "CALL", false
}

// insideQuery reports whether a FROM here belongs to a query, not to a function's arguments.
func (s *summary) insideQuery() bool {
	return len(s.nesting) == 0 || s.nesting[len(s.nesting)-1]
}

func unquote(r rune) rune {
	if r == '`' || r == '"' {
		return -1
	}
	return r
}

// next returns the next identifier, keyword or parenthesis, without comments, literals and other punctuation.
func (s *summary) next() (word string) {
	rest := s.rest
	defer func() { s.rest = rest }()
	for len(rest) > 0 {
		switch c := rest[0]; {
		case strings.HasPrefix(rest, "--"):
			_, rest, _ = strings.Cut(rest, "\n")
		case strings.HasPrefix(rest, "/*"):
			_, rest, _ = strings.Cut(rest, "*/")
		case c == '\'':
			_, rest, _ = strings.Cut(rest[1:], "'")
		case c == '(' || c == ')':
			word, rest = rest[:1], rest[1:]
			return word
		case isWordByte(c):
			i := 1
			for i < len(rest) && isWordByte(rest[i]) {
				i++
			}
			word, rest = rest[:i], rest[i:]
			return word
		default:
			rest = rest[1:]
		}
	}
	return ""
}

func isWordByte(c byte) bool {
	return c == '_' || c == '.' || c == '`' || c == '"' || c == '$' || c >= 0x80 ||
		'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// spanName is the summary of a statement: its verb and the first table it touches, such as "SELECT tasks".
func spanName(operation, collection string) string {
	switch {
	case operation == "":
		return "SQL"
	case collection == "":
		return operation
	}
	name := operation + " " + collection
	return name[:min(len(name), maxSummaryLength)]
}
