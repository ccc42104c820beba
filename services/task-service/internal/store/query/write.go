package query

// An INSERT of many rows is split where it would pass these, so that every server accepts it.
const (
	maxInsertRows  = 500
	maxInsertBytes = 4 << 20 // MariaDB's max_allowed_packet is 16 MiB, and escaping may double a text
)

// Insert compiles INSERTs of rows into a table: one statement, or several where one would be too large. into is
// "INSERT INTO table (columns) VALUES "; every row has a value for each column. suffix, such as ON DUPLICATE KEY UPDATE,
// ends each statement.
func (d *Dialect) Insert(into Literal, rows [][]any, suffix Literal) []*SQL {
	var out []*SQL
	var s *SQL
	n, size := 0, 0
	for _, row := range rows {
		bytes := sizeOf(row)
		if s == nil || n == maxInsertRows || size+bytes > maxInsertBytes {
			if s != nil {
				s.Text(suffix)
			}
			s = d.New().Text(into)
			out = append(out, s)
			n, size = 0, 0
		} else {
			s.Text(", ")
		}
		list(s, row, func(v any) { s.Arg(v) })
		n++
		size += bytes
	}
	if s != nil {
		s.Text(suffix)
	}
	return out
}

func sizeOf(row []any) int {
	size := 0
	for _, v := range row {
		switch v := v.(type) {
		case string:
			size += len(v)
		case []byte:
			size += len(v)
		default:
			size += 32
		}
	}
	return size
}
