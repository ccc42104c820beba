//go:build seededbugs

package seeded

import "testing"

func TestChoose(t *testing.T) {
	t.Parallel()
	for _, want := range append(Bugs(), "") {
		if got, err := choose(string(want)); err != nil || got != want {
			t.Errorf("%q: %q, %v", want, got, err)
		}
	}
	if got, err := choose("row-id"); err == nil || got != "" {
		t.Errorf("an unknown bug is %q, %v", got, err)
	}
	if !Enabled {
		t.Error("not enabled")
	}
}
