package soak

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// print writes the report for people.
func (r *Result) print(out io.Writer) error {
	fmt.Fprintf(out, "\nSoak: %s, began %s, took %s, %s of it with faults: %d faults, and for %s (%.0f %%) something was broken or not yet well\n", r.Name,
		r.Began.Format(time.RFC3339), r.Took.Round(time.Second), r.FaultsFor.Round(time.Second), len(r.Faults), r.FaultyFor.Round(time.Second),
		100*share(int64(r.FaultyFor), int64(r.FaultsFor)))
	fmt.Fprintf(out, "%d events, %d tasks; %d operations acknowledged, %d refused, %d never answered, %d sent again\n", r.Events, r.Tasks,
		r.Operations.Acknowledged, r.Operations.Refused, r.Operations.Unknown, r.Operations.SentAgain)
	if r.Interrupted {
		fmt.Fprintln(out, "It was interrupted: this is what there is.")
	}
	if r.Broken != "" {
		fmt.Fprintf(out, "It did not come to its end: %s\n", r.Broken)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\nrequests\tall\tfailed\tof the budget of %.1f %%\tover %s\tof the budget of %.0f %%\tmissed turns\t\n", 100*(1-availability),
		milliseconds(promptWithin), 100*(1-promptness))
	for _, b := range []struct {
		name string
		Budget
	}{{"during faults", r.Requests.During}, {"outside them", r.Requests.Outside}, {"all", r.Requests.All}} {
		fmt.Fprintf(w, "%s\t%d\t%.3f %%\t%.0f %%\t%.2f %%\t%.0f %%\t%d\t\n", b.name, b.Requests, 100*b.FailedShare, 100*b.AvailabilityUsed, 100*b.LateShare,
			100*b.LatencyUsed, b.Missed)
	}
	fmt.Fprintln(w, "\nlatency (ms)\tduring faults: p50\tp95\tp99\toutside them: p50\tp95\tp99\tratio of p99\t")
	for _, l := range r.Latency {
		ratio := "-"
		if l.During.P99 > 0 && l.Outside.P99 > 0 {
			ratio = fmt.Sprintf("%.1f", float64(l.During.P99)/float64(l.Outside.P99))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", l.Of, number(l.During.P50), number(l.During.P95), number(l.During.P99),
			number(l.Outside.P50), number(l.Outside.P95), number(l.Outside.P99), ratio)
	}
	fmt.Fprintln(w, "\nmemory (MiB)\tin use\tresident\tin use, per hour from restart to restart\tresident\tin use, per hour within the last life\tresident\t")
	for _, m := range r.Memory {
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%s\t%s\t%s\t%s\t\n", m.Process, m.HeapMiB, m.RSSMiB, m.RunHeap, m.RunRSS, m.LifeHeap, m.LifeRSS)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	fmt.Fprintln(out, "(per hour, in brackets: over too short a time to judge)")
	r.printKills(out)
	for i := range r.CatchUps {
		fmt.Fprintln(out, &r.CatchUps[i])
	}
	w = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\ntarget\twanted\tfound\tverdict")
	for _, t := range r.Targets {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", t.Name, t.Want, t.Got, t.Verdict)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	return nil
}

func (r *Result) printKills(out io.Writer) {
	k, d := r.ReplicaKills, r.DatabaseKills
	var clients []string
	for _, n := range slices.Sorted(maps.Keys(k.Clients)) {
		clients = append(clients, fmt.Sprintf("%d × %d", k.Clients[n], n))
	}
	fmt.Fprintf(out, "\n%d replicas killed alone (%d with something else); requests sent again, clients × number: %s\n", k.Kills, k.Together, strings.Join(clients, ", "))
	fmt.Fprintf(out, "%d databases killed alone: after they accepted connections, a write at most %.2f s later, all well at most %.2f s later; %d with something else or in a power cut: %.2f s\n",
		d.Kills, d.WorstServing.Seconds(), d.WorstWhole.Seconds(), d.Together, d.TogetherMost.Seconds())
}

// String tells of a catching up.
func (c *CatchUp) String() string {
	if c.Error != "" {
		return fmt.Sprintf("away: %s: %s", c.Away, c.Error)
	}
	return fmt.Sprintf("away: %s: %d events written in %.1f s; statistics %d behind when it was back, at the head %.2f s later: %.0f events/s, %.0f/s while they flowed",
		c.Away, c.Written, c.Writing.Seconds(), c.Behind, c.Took.Seconds(), c.PerSecond, c.Flowing)
}

// String tells of a slope.
func (s Slope) String() string {
	if !s.Judged {
		return fmt.Sprintf("(%+.1f)", s.PerHour)
	}
	return fmt.Sprintf("%+.1f", s.PerHour)
}

func milliseconds(d time.Duration) string { return number(d) + " ms" }

func number(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d)/float64(time.Millisecond)) }
