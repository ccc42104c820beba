package drill

import (
	"slices"
	"testing"
)

func TestIDsOfBothEngines(t *testing.T) {
	t.Parallel()
	const first, second = "00000000-0000-7000-8000-00000000000a", "00000000-0000-7000-8000-00000000000b"
	for name, c := range map[string]struct {
		column any
		want   []string
	}{
		"MySQL":           {[]byte("0000000000007000800000000000000a0000000000007000800000000000000b"), []string{first, second}},
		"MySQL, none":     {[]byte(""), nil},
		"PostgreSQL":      {"{" + second + "," + first + "}", []string{second, first}},
		"PostgreSQL, one": {"{" + first + "}", []string{first}},
		"PostgreSQL, 0":   {"{}", nil},
	} {
		got := []string{"left over"}
		if err := textIDs(&got).Scan(c.column); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for _, column := range []any{nil, int64(1), "{" + first[:35] + "}", []byte(first + "0")} {
		if err := textIDs(new([]string)).Scan(column); err == nil {
			t.Errorf("%v was read", column)
		}
	}
}
