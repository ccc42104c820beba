package importer

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/tallyboard/tallyboard/services/internal/kit/apperr"
)

// rows reads a CSV file row by row.
type rows struct {
	csv     *csv.Reader
	ration  *rationed
	header  []string
	columns columns
	last    int64 // line of the last row read
}

// row is one record with the line it starts at; fault says why it cannot be used.
type row struct {
	line   int64
	fields []string
	fault  string
}

// openRows reads the header and finds the columns.
func (r *run) openRows(s *spool, known []column) (*rows, error) {
	from, err := s.open()
	if err != nil {
		return nil, err
	}
	comma := r.o.Delimiter
	if comma == 0 {
		first, err := from.Peek(min(from.Size(), int(s.size)))
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("importer: read the copied file: %w", err)
		}
		comma = guessDelimiter(string(first))
	}
	ration := &rationed{from: from, left: MaxRow}
	c := csv.NewReader(ration)
	c.Comma, c.FieldsPerRecord, c.ReuseRecord = comma, -1, true
	out := &rows{csv: c, ration: ration}
	head, err := out.next()
	switch {
	case errors.Is(err, io.EOF):
		return nil, apperr.New(apperr.Invalid, "The file is empty.")
	case err != nil:
		return nil, err
	case head.fault != "":
		return nil, apperr.New(apperr.Invalid, "Line %d, the header: %s.", head.line, head.fault)
	case len(head.fields) > MaxColumns:
		return nil, apperr.New(apperr.Invalid, "The header has %d columns; at most %d are allowed.", len(head.fields), MaxColumns)
	}
	for _, h := range head.fields {
		out.header = append(out.header, strings.TrimSpace(h))
	}
	out.columns, err = findColumns(out.header, known, r.o.Columns)
	return out, err
}

// next returns the next row, io.EOF, or an apperr.Invalid that ends the file.
func (r *rows) next() (row, error) {
	r.ration.left = MaxRow
	fields, err := r.csv.Read()
	var syntax *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		return row{}, io.EOF
	case errors.Is(err, errTooLong):
		return row{}, apperr.New(apperr.Invalid, "The row behind line %d is longer than %d bytes; is there a quote that is never closed?", r.last, MaxRow)
	case errors.As(err, &syntax):
		r.last = int64(syntax.StartLine)
		return row{line: r.last, fault: reasonOf(syntax)}, nil
	case err != nil:
		return row{}, fmt.Errorf("importer: read the copied file: %w", err)
	}
	line, _ := r.csv.FieldPos(0)
	r.last = int64(line)
	out := row{line: r.last, fields: fields}
	for i, f := range fields {
		if !utf8.ValidString(f) {
			out.fault = fmt.Sprintf("the field in column %s is not valid UTF-8", r.name(i))
			return out, nil
		}
	}
	if r.header != nil {
		out.fault = r.raggedness(fields)
	}
	return out, nil
}

func (r *rows) raggedness(fields []string) string {
	if len(fields) < len(r.header) {
		return fmt.Sprintf("has %d fields, the header has %d", len(fields), len(r.header))
	}
	for _, f := range fields[len(r.header):] {
		if strings.TrimSpace(f) != "" {
			return fmt.Sprintf("has %d fields, the header has %d", len(fields), len(r.header))
		}
	}
	return ""
}

func (r *rows) name(i int) string {
	if i < len(r.header) {
		return fmt.Sprintf("%q", r.header[i])
	}
	return fmt.Sprintf("%d", i+1)
}

func reasonOf(e *csv.ParseError) string {
	switch {
	case errors.Is(e.Err, csv.ErrBareQuote):
		return fmt.Sprintf("has a quote inside of a field without quotes (line %d, column %d)", e.Line, e.Column)
	case errors.Is(e.Err, csv.ErrQuote):
		return fmt.Sprintf("has a quote that is not closed, or text behind a closing quote (line %d, column %d)", e.Line, e.Column)
	}
	return fmt.Sprintf("is no CSV (line %d, column %d)", e.Line, e.Column)
}

// guessDelimiter returns the separator that the first line, outside of quotes, has most of.
func guessDelimiter(text string) rune {
	counts := map[rune]int{}
	quoted := false
	for _, c := range text {
		if c == '"' {
			quoted = !quoted
		}
		if c == '\n' && !quoted {
			break
		}
		if !quoted {
			counts[c]++
		}
	}
	best := ','
	for _, c := range []rune{';', '\t'} {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return best
}
