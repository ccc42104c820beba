package rank

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func seeded(seed uint64) Random { return rand.New(rand.NewPCG(seed, 1)).Uint64N }

// anyRank draws well-formed ranks, also those no call has made.
func anyRank() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		head := rapid.SampledFrom([]byte("ABMXYZabcdez")).Draw(t, "head")
		ds := rapid.StringOfN(rapid.RuneFrom([]rune("012yzAZ5")), digitsAfter(head), digitsAfter(head), -1).Draw(t, "integer")
		blocks := rapid.IntRange(0, 4).Draw(t, "blocks")
		f := rapid.StringOfN(rapid.RuneFrom([]rune("01zZ")), blocks*blockLen, blocks*blockLen, -1).Draw(t, "fraction")
		for strings.HasSuffix(f, "0000") {
			f = f[:len(f)-blockLen]
		}
		return string(head) + ds + f
	})
}

func TestBetweenKeepsOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := seeded(rapid.Uint64().Draw(t, "seed"))
		a, b := anyRank().Draw(t, "a"), anyRank().Draw(t, "b")
		if a == b {
			return
		}
		if a > b {
			a, b = b, a
		}
		for _, c := range [][2]string{{a, b}, {"", a}, {b, ""}, {"", ""}} {
			m, err := Between(r, c[0], c[1])
			if err != nil {
				t.Fatalf("Between(%q, %q): %v", c[0], c[1], err)
			}
			if !Valid(m) || m <= c[0] || c[1] != "" && m >= c[1] {
				t.Fatalf("Between(%q, %q) = %q", c[0], c[1], m)
			}
			n := rapid.IntRange(0, 300).Draw(t, "n")
			many, err := Spread(r, c[0], c[1], n)
			if err != nil {
				t.Fatalf("Spread(%q, %q, %d): %v", c[0], c[1], n, err)
			}
			last := c[0]
			for _, m := range many {
				if !Valid(m) || m <= last || c[1] != "" && m >= c[1] {
					t.Fatalf("Spread(%q, %q, %d) has %q behind %q", c[0], c[1], n, m, last)
				}
				last = m
			}
			if len(many) != n {
				t.Fatalf("Spread made %d ranks instead of %d", len(many), n)
			}
		}
	})
}

func TestIntegersAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		i, err := integerOf(anyRank().Draw(t, "rank"))
		if err != nil {
			t.Fatal(err)
		}
		k := rapid.Uint64Range(1, jitter).Draw(t, "k")
		if sum, ok := plus(i, k); ok {
			if got := distance(i, sum, jitter+1); sum <= i || got != k {
				t.Fatalf("%s + %d = %s, which is %d away", i, k, sum, got)
			}
			if back, ok := minus(sum, k); !ok || back != i {
				t.Fatalf("%s + %d - %d = %s", i, k, k, back)
			}
		}
		if diff, ok := minus(i, k); ok {
			if got := distance(diff, i, jitter+1); diff >= i || got != k {
				t.Fatalf("%s - %d = %s, which is %d away", i, k, diff, got)
			}
		}
	})
}

func TestAppendsAndPrependsStayShort(t *testing.T) {
	t.Parallel()
	r := seeded(1)
	last := ""
	for range 1_000_000 {
		next, err := After(r, last)
		if err != nil {
			t.Fatal(err)
		}
		if next <= last {
			t.Fatalf("%q does not sort behind %q", next, last)
		}
		last = next
	}
	first := last
	for range 200_000 {
		next, err := Before(r, first)
		if err != nil {
			t.Fatal(err)
		}
		if next >= first {
			t.Fatalf("%q does not sort before %q", next, first)
		}
		first = next
	}
	if len(last) > 7 || len(first) > 7 {
		t.Fatalf("a million appends ended with %q, prepends with %q", last, first)
	}
}

func TestRandomInsertsStayDense(t *testing.T) {
	t.Parallel()
	r := seeded(2)
	var ranks []string
	longest := 0
	for range 10_000 {
		at := int(r.below(uint64(len(ranks) + 1)))
		a, b := "", ""
		if at > 0 {
			a = ranks[at-1]
		}
		if at < len(ranks) {
			b = ranks[at]
		}
		m, err := Between(r, a, b)
		if err != nil {
			t.Fatalf("between %q and %q: %v", a, b, err)
		}
		ranks = slices.Insert(ranks, at, m)
		longest = max(longest, len(m))
	}
	if !slices.IsSorted(ranks) || len(slices.Compact(ranks)) != 10_000 {
		t.Fatal("the ranks are not in order, or some are equal")
	}
	if longest > 40 {
		t.Fatalf("the longest of 10,000 randomly placed ranks has %d bytes", longest)
	}
}

func TestInsertingAtOnePlaceLastsLong(t *testing.T) {
	t.Parallel()
	for name, upwards := range map[string]bool{"always directly behind a": true, "always directly before b": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := seeded(3)
			a, b := "d0000", "d0001"
			for i := range 100_000 {
				m, err := Between(r, a, b)
				if err != nil {
					t.Fatalf("full after %d inserts: %v", i, err)
				}
				if upwards {
					b = m
				} else {
					a = m
				}
			}
		})
	}
}

func TestFullIsAnError(t *testing.T) {
	t.Parallel()
	deep := "d0000" + strings.Repeat("0000", 61) + "0001" // 253 bytes
	if _, err := Between(nil, "d0000", deep); !errors.Is(err, ErrFull) {
		t.Fatalf("there is no rank of up to 255 bytes before %q, yet: %v", deep, err)
	}
	if _, err := Spread(nil, "d0000", deep, 2); !errors.Is(err, ErrFull) {
		t.Fatal(err)
	}
	narrow := "d0000" + strings.Repeat("0000", 61) + "0003"
	if m, err := Between(nil, "d0000", narrow); err != nil || m <= "d0000" || m >= narrow {
		t.Fatalf("the last free ranks must be used before giving up: %q, %v", m, err)
	}
}

func TestSameMomentSamePlaceDiffers(t *testing.T) {
	t.Parallel()
	a, b := seeded(4), seeded(5)
	equal := 0
	for range 1000 {
		x, _ := Between(a, "d0005", "d0006") // errors show as equal texts
		y, _ := Between(b, "d0005", "d0006")
		if x == y {
			equal++
		}
	}
	if equal > 5 {
		t.Fatalf("%d of 1000 pairs were equal", equal)
	}
}

func TestValid(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"": false, "a0": true, "a": false, "0": false, "a0000": false, "a01234": true, "a00000": false, "a0é234": false,
		"Zz": true, "b0z": true, "A" + strings.Repeat("0", 26): true, "a0" + strings.Repeat("zzzz", 64): false,
	} {
		if Valid(s) != want {
			t.Errorf("Valid(%q) = %v", s, !want)
		}
	}
	for _, c := range [][2]string{{"a1", "a1"}, {"a2", "a1"}, {"?", "a1"}, {"a1", "?"}} {
		if _, err := Between(nil, c[0], c[1]); err == nil {
			t.Errorf("Between(%q, %q) must fail", c[0], c[1])
		}
	}
}

func FuzzBetween(f *testing.F) {
	f.Add("a0", "a1", uint64(1))
	f.Add("d0000", "d00000001", uint64(2))
	f.Add("Zz", "a0", uint64(3))
	f.Add("", "A00000000000000000000000000", uint64(4))
	f.Add("zzzzzzzzzzzzzzzzzzzzzzzzzzz", "", uint64(5))
	f.Fuzz(func(t *testing.T, a, b string, seed uint64) {
		m, err := Between(seeded(seed), a, b)
		if err != nil {
			return
		}
		if !Valid(m) || a != "" && m <= a || b != "" && m >= b {
			t.Fatalf("Between(%q, %q) = %q", a, b, m)
		}
	})
}
