package main

import (
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	t.Parallel()
	const passing = `{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"chatter\n"}
{"Action":"run","Package":"p","Test":"TestA/x"}
{"Action":"pass","Package":"p","Test":"TestA/x","Elapsed":0.1}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0.1}
{"Action":"pass","Package":"p","Elapsed":0.2}
{"Action":"output","Package":"empty","Output":"?   \tempty\t[no test files]\n"}
{"Action":"skip","Package":"empty","Elapsed":0}
`
	tests := map[string]struct {
		events string
		good   bool
		want   []string
		not    []string
	}{
		"a passing package": {
			events: passing, good: true,
			want: []string{"ok  \tp\t0.2s\t1 tests", "PASS: 1 tests passed, 0 failed, 0 skipped, in 1 packages"},
			not:  []string{"chatter"},
		},
		"a skipped test": {
			events: passing + `{"Action":"run","Package":"q","Test":"TestS"}
{"Action":"skip","Package":"q","Test":"TestS"}
{"Action":"pass","Package":"q"}
`,
			want: []string{"--- SKIP: q TestS", "FAIL: 1 tests passed, 0 failed, 1 skipped"},
		},
		"a failing test": {
			events: passing + `{"Action":"run","Package":"q","Test":"TestF"}
{"Action":"output","Package":"q","Test":"TestF","Output":"got 1, want 2\n"}
{"Action":"fail","Package":"q","Test":"TestF"}
{"Action":"fail","Package":"q"}
`,
			want: []string{"got 1, want 2", "FAIL\tq", "--- FAIL: q TestF", "FAIL: 1 tests passed, 1 failed"},
		},
		"a panic": {
			events: passing + `{"Action":"run","Package":"q","Test":"TestP"}
{"Action":"output","Package":"q","Test":"TestP","Output":"panic: no\n"}
{"Action":"fail","Package":"q"}
`,
			want: []string{"panic: no", "--- FAIL: q\n"},
		},
		"a package that does not build": {
			events: passing + `{"ImportPath":"q","Action":"build-output","Output":"undefined: x\n"}
{"ImportPath":"q","Action":"build-fail"}
{"Action":"fail","Package":"q","FailedBuild":"q"}
`,
			want: []string{"undefined: x", "FAIL\tq"},
		},
		"a run cut off":  {events: passing + `{"Action":"start","Package":"q"}` + "\n", want: []string{"q (did not finish)"}},
		"nothing at all": {events: "", want: []string{"FAIL: 0 tests passed"}},
		"a line that is no event": {
			events: "go: downloading x\n" + passing, good: true, want: []string{"go: downloading x\n"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			r := newReport(&out)
			if err := r.read(strings.NewReader(tt.events)); err != nil {
				t.Fatal(err)
			}
			if good := r.close(); good != tt.good {
				t.Errorf("good = %v, want %v", good, tt.good)
			}
			for _, want := range tt.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in:\n%s", want, &out)
				}
			}
			for _, not := range tt.not {
				if strings.Contains(out.String(), not) {
					t.Errorf("%q in:\n%s", not, &out)
				}
			}
		})
	}
}
