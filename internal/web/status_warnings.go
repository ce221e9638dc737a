package web

import (
	"fmt"
	"strings"
	"time"

	"errno_exporter/internal/observe"
	"errno_exporter/internal/watch"
	"errno_exporter/prober/result"
)

// What fails at a target although its last probe may have succeeded: an address, an attempt that was repeated, an idle
// connection, the application's connections.

// maxNamed is how many addresses a sentence names.
const maxNamed = 3

// warnings are sentences, the most important first.
func warnings(t *watch.Status, now time.Time) []string {
	var all []string
	if t.Last != nil {
		all = append(all, addressWarnings(t.Last.Result.Addresses)...)
		all = append(all, attemptWarnings(t.Last.Result)...)
	}
	for _, age := range t.Idle.Ages {
		if age.Last != nil && age.Last.Failure != nil {
			all = append(all, fmt.Sprintf("A connection that was idle for %s failed %s ago: %s.", age.Age,
				span(now.Sub(age.Last.Ended)), age.Last.Failure.Sentence()))
		}
	}
	return append(all, endWarnings(t.Ends, now)...)
}

func addressWarnings(all []result.AddressProbe) []string {
	var failed []string
	for i := range all {
		if f := all[i].Failure; f != nil {
			failed = append(failed, fmt.Sprintf("%s (%s)", all[i].Addr, f.Sentence()))
		}
	}
	if len(failed) == 0 {
		return nil
	}
	text := fmt.Sprintf("%d of %d addresses fail: %s", len(failed), len(all),
		strings.Join(failed[:min(maxNamed, len(failed))], ", "))
	if more := len(failed) - maxNamed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return []string{text + "."}
}

// attemptWarnings are of attempts that failed before one that succeeded.
func attemptWarnings(r *result.Result) []string {
	if r.Failure != nil || len(r.Attempts) < 2 || r.Attempts[0].Failure == nil {
		return nil
	}
	return []string{fmt.Sprintf("The last probe succeeded with attempt %d; the first one failed: %s.", len(r.Attempts),
		r.Attempts[0].Failure.Sentence())}
}

// endWords are how connections of the application ended, in words.
var endWords = []struct {
	how   observe.How
	words string
}{
	{observe.ResetReceived, "reset by the peer"},
	{observe.TimedOut, "given up by the kernel without an answer"},
	{observe.FINReceived, "closed by the peer with a request in progress"},
	{observe.Unknown, "ended with a request in progress"},
}

func endWarnings(ends []observe.End, now time.Time) []string {
	counts, last := map[observe.How]int{}, time.Time{}
	for i := range ends {
		counts[ends[i].How]++
		if ends[i].At.After(last) {
			last = ends[i].At
		}
	}
	var parts []string
	for _, row := range endWords {
		if n := counts[row.how]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, row.words))
		}
		delete(counts, row.how)
	}
	others := 0
	for _, n := range counts {
		others += n
	}
	if others > 0 {
		parts = append(parts, fmt.Sprintf("%d not acknowledged by the peer", others))
	}
	if len(parts) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("The application's connections in the last hour: %s; the last one %s ago.",
		strings.Join(parts, ", "), span(now.Sub(last)))}
}
