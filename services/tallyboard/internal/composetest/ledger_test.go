package composetest

import (
	"strings"
	"testing"
)

func TestLedgerFindsBrokenPromises(t *testing.T) {
	t.Parallel()
	promised := func() *ledger {
		l := newLedger()
		l.acknowledge("a", task{ID: "1", Key: "K-1", Title: "a", Version: 1})
		l.acknowledge("", task{ID: "1", Key: "K-1", Title: "a / changed", Version: 2})
		l.acknowledge("b", task{ID: "2", Key: "K-2", Title: "b", Version: 1})
		return l
	}
	kept := []task{{"1", "K-1", "a / changed", 2}, {"2", "K-2", "b", 1}}
	for name, c := range map[string]struct {
		present []task
		want    string // part of the error; empty: none
	}{
		"kept":                     {kept, ""},
		"more than promised":       {append([]task{{"3", "K-3", "c", 1}}, kept...), ""},
		"changed later":            {[]task{{"1", "K-1", "a / again", 3}, kept[1]}, ""},
		"lost":                     {kept[:1], "is gone"},
		"change lost":              {[]task{{"1", "K-1", "a", 1}, kept[1]}, "acknowledged in version 2 and is at 1"},
		"change replaced":          {[]task{{"1", "K-1", "a / other", 2}, kept[1]}, "and is \"a / other\""},
		"made twice":               {append([]task{{"9", "K-9", "b", 1}}, kept...), "was made twice"},
		"made twice, then changed": {append([]task{{"9", "K-9", "b / changed", 2}}, kept...), "was made twice"},
		"number given twice":       {append([]task{{"9", "K-2", "c", 1}}, kept...), "is the number of"},
		"listed twice":             {append([]task{kept[0]}, kept...), "is listed twice"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := promised().compare(c.present)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestLedgerNoticesTwoAnswersToOneWrite(t *testing.T) {
	t.Parallel()
	l := newLedger()
	for _, id := range []string{"1", "2"} {
		l.acknowledge("a", task{ID: id, Title: "a", Version: 1})
	}
	if l.failed() == nil {
		t.Error("one name was acknowledged as two tasks, and nothing was said")
	}
}

func TestOnlyNamesSectionsByParts(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]bool{"rolling restart under load": true, "scaling": true, "networks": false} {
		if got := (Config{Only: []string{"rolling", "scal"}}).wants(title); got != want {
			t.Errorf("%s: %v", title, got)
		}
	}
	if !(Config{}).wants("networks") {
		t.Error("without names, something is left out")
	}
}
