// Package query compiles the statements whose shape is not fixed: the task list with its filter, and inserts and updates
// of a varying number of rows and columns. Both engines use it; what their dialects do differently is in [Dialect].
//
// Statement text is only ever put together from constants of this program. Values travel as parameters.
package query

import (
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// Literal is statement text. Constants convert to it by themselves, variables do not: that keeps user text out.
type Literal string

// Dialect is what the engines do differently.
type Dialect struct {
	numbered bool // parameters are $1, $2 …, not ?
	id       func(uuid.UUID) any
	rows     bool // compares rows such as (a, b) > (x, y) by index
	// indexed appends a search by the full-text index, and filtered one that looks at a row already found. Both mean the same.
	indexed  func(s *SQL, terms []term)
	filtered func(s *SQL, terms []term)
}

// MySQL is the dialect of MySQL 8.0 and later and of MariaDB 10.11 and later.
var MySQL = &Dialect{
	id: func(id uuid.UUID) any { return id[:] },
	indexed: func(s *SQL, terms []term) {
		s.Text("MATCH (t.words) AGAINST (").Arg(booleanQuery(terms)).Text(" IN BOOLEAN MODE)")
	},
	filtered: func(s *SQL, terms []term) {
		for i, t := range terms {
			if i > 0 {
				s.Text(" AND ")
			}
			s.Text("(")
			for j, word := range t {
				if j > 0 {
					s.Text(" OR ")
				}
				s.Text("t.words LIKE ").Arg("% " + word + "%") // a word has nothing but letters and digits
			}
			s.Text(")")
		}
	},
}

// Postgres is the dialect of PostgreSQL.
var Postgres = &Dialect{
	numbered: true,
	rows:     true,
	id:       func(id uuid.UUID) any { return id },
	// The array keeps the planner, which cannot know how rare a prefix is, from walking along another index instead.
	indexed: func(s *SQL, terms []term) {
		s.Text("t.id = ANY (ARRAY(SELECT w.id FROM tasks w WHERE w.words @@ ").Arg(tsQuery(terms)).Text("::text::tsquery))")
	},
	filtered: func(s *SQL, terms []term) {
		s.Text("t.words @@ ").Arg(tsQuery(terms)).Text("::text::tsquery")
	},
}

// SQL is a statement under construction.
type SQL struct {
	d      *Dialect
	b      strings.Builder
	args   []any
	states []State // of the projects, if a flag needs them
	found  bool    // rows are found by an order: searches look at them, and leave the full-text index alone
}

// New returns an empty statement.
func (d *Dialect) New() *SQL { return &SQL{d: d} }

// Text appends statement text.
func (s *SQL) Text(t Literal) *SQL {
	s.b.WriteString(string(t))
	return s
}

// Arg appends a parameter.
func (s *SQL) Arg(v any) *SQL {
	s.args = append(s.args, v)
	if s.d.numbered {
		s.b.WriteByte('$')
		s.b.WriteString(strconv.Itoa(len(s.args)))
		return s
	}
	s.b.WriteByte('?')
	return s
}

// ID appends an id as a parameter.
func (s *SQL) ID(id uuid.UUID) *SQL { return s.Arg(s.d.id(id)) }

// IDs appends a list of ids in parentheses; it must not be empty.
func (s *SQL) IDs(ids []uuid.UUID) *SQL {
	return list(s, ids, func(id uuid.UUID) { s.ID(id) })
}

func list[T any](s *SQL, values []T, each func(T)) *SQL {
	s.Text("(")
	for i, v := range values {
		if i > 0 {
			s.Text(", ")
		}
		each(v)
	}
	return s.Text(")")
}

// Build returns the statement and its parameters.
func (s *SQL) Build() (text string, args []any) { return s.b.String(), s.args }
