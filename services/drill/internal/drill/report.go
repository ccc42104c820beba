package drill

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/check"
	"github.com/tallyboard/tallyboard/services/drill/internal/ledger"
)

// mostListed is how many violations of one rule are printed; the rest is counted.
const mostListed = 5

// report prints violations and the table.
func (r *Conductor) report(violations []check.Violation) error {
	byRule := map[string]int{}
	for _, v := range violations {
		byRule[v.Rule]++
		switch n := byRule[v.Rule]; {
		case n <= mostListed:
			fmt.Fprintf(r.out, "VIOLATION %s %s\n", v, strings.Join(v.Ops, " "))
		case n == mostListed+1:
			fmt.Fprintf(r.out, "VIOLATION %s: and more\n", v.Rule)
		}
	}
	w := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\nfault\ttimes\tlongest without a write\tworst until a write\tworst until all well\tmost sent again by one client\t")
	total := kindSummary{}
	kinds := summarize(r.record)
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		k := kinds[kind]
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%d\t\n", kind, k.times, seconds(k.silent), seconds(k.serving), seconds(k.whole), k.again)
		total.add(k)
	}
	fmt.Fprintf(w, "all\t%d\t%s\t%s\t%s\t%d\t\n", total.times, seconds(total.silent), seconds(total.serving), seconds(total.whole), total.again)
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	outcomes := map[ledger.Outcome]int{}
	again := 0
	for _, op := range r.record.Ops {
		outcomes[op.Outcome]++
		if op.Attempts > 1 {
			again++
		}
	}
	received, connects := 0, 0
	for _, s := range r.record.Streams {
		received += len(s.Events)
		connects += s.Connects
	}
	fmt.Fprintf(r.out, "\n%d operations acknowledged, %d refused, %d never answered; %d were sent again\n%d events in the history; %d live clients received %d over %d connections\n",
		outcomes[ledger.Acknowledged], outcomes[ledger.Refused], outcomes[ledger.Unknown], again,
		len(r.record.Found.Events), len(r.record.Streams), received, connects)
	fmt.Fprintf(r.out, "limits after any fault: %s until a write, %s until all well\n", r.record.Limits.Serving, r.record.Limits.Whole)
	for _, what := range r.record.NotDrilled {
		fmt.Fprintf(r.out, "not drilled here: %s\n", what)
	}
	for _, l := range r.record.Found.Levels {
		fmt.Fprintf(r.out, "%s at rest, before and after: %d and %d goroutines, %d and %d open files, %d and %d MiB (of it %d and %d in use)\n", l.Process,
			l.GoroutinesBefore, l.GoroutinesAfter, l.FDsBefore, l.FDsAfter, l.MemoryBefore>>20, l.MemoryAfter>>20, l.HeapBefore>>20, l.HeapAfter>>20)
	}
	fmt.Fprintf(r.out, "%s: %d faults, %d violations", r.record.Name, total.times, len(violations))
	for _, rule := range slices.SortedFunc(maps.Keys(byRule), func(a, b string) int { return cmp.Compare(byRule[b], byRule[a]) }) {
		fmt.Fprintf(r.out, "; %d %s", byRule[rule], rule)
	}
	fmt.Fprintln(r.out)
	return nil
}

// kindSummary sums up the faults of a kind.
type kindSummary struct {
	times          int
	silent         time.Duration // between two acknowledged writes, whoever made them
	serving, whole time.Duration
	again          int // attempts beyond the first of one client's operations during and after one fault
}

func (k *kindSummary) add(o kindSummary) {
	k.times += o.times
	k.silent, k.serving, k.whole, k.again = max(k.silent, o.silent), max(k.serving, o.serving), max(k.whole, o.whole), max(k.again, o.again)
}

func summarize(record check.Record) map[string]kindSummary {
	out := map[string]kindSummary{}
	for i, f := range record.Faults {
		k := out[f.Kind]
		until := f.Healed + f.Whole
		for _, next := range record.Faults[i+1:] { // those that began together end together
			if next.Start > f.Healed {
				until = next.Start
				break
			}
		}
		k.add(kindSummary{1, silence(record.Ops, f.Start, until), f.Serving, f.Whole, sentAgain(record.Ops, f.Start, until)})
		out[f.Kind] = k
	}
	return out
}

// sentAgain counts the attempts beyond the first of operations that were under way in a span of time, and returns those of
// the client with most.
func sentAgain(ops []ledger.Op, from, until time.Duration) (most int) {
	byClient := map[int]int{}
	for i := range ops {
		if op := &ops[i]; op.End >= from && op.Start < until {
			byClient[op.Client] += op.Attempts - 1
			most = max(most, byClient[op.Client])
		}
	}
	return most
}

// silence returns the longest time without an acknowledged write in a span of time. Operations come in the order of their
// ends.
func silence(ops []ledger.Op, from, until time.Duration) (longest time.Duration) {
	last := from
	for i := range ops {
		op := &ops[i]
		if op.Outcome != ledger.Acknowledged || op.Kind.Reads() || op.End < from {
			continue
		}
		if op.End > until {
			break
		}
		longest, last = max(longest, op.End-last), op.End
	}
	return longest
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }
