// Package record writes a probe's whole record as human-readable plain text. What comes from outside stays text, and
// secrets are masked.
package record

import (
	"strings"
	"time"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/lifetime"
	"errno_exporter/internal/metrics"
	"errno_exporter/internal/target/state"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// Text is the record as text: the verdict first, then what led to it, the samples last. idle is nil where no idle
// connections are kept.
func Text(r *result.Result, m *module.Module, found cause.Findings, idle *state.Idle,
	samples *metrics.Exposition) []byte {
	return DefaultWidth.Text(r, m, found, idle, samples)
}

// Columns is the width of a text; 0 and what is more than DefaultWidth are DefaultWidth.
type Columns int

// DefaultWidth is where prose is wrapped where the reader's width is not known or larger.
const DefaultWidth Columns = 100

// Text is the record as text of this width: sentences are wrapped between words, bars are shorter, and other lines stay
// as they are.
func (c Columns) Text(r *result.Result, m *module.Module, found cause.Findings, idle *state.Idle,
	samples *metrics.Exposition) []byte {
	p := &page{width: c.prose()}
	p.verdict(r)
	p.findings(found)
	p.asked(r)
	for i := range r.Attempts {
		attempt := &r.Attempts[i]
		if len(r.Attempts) > 1 {
			p.section("Attempt %d of %d, began after %s, took %s: %s", i+1, len(r.Attempts),
				Short(attempt.Start.Sub(r.Start)), Short(attempt.Elapsed), ended(attempt))
		}
		for j := range attempt.Hops {
			p.section("Hop %d: %s", j+1, attempt.Hops[j].URL)
			p.hop(&attempt.Hops[j], attempt.Elapsed, r.Start, m)
		}
		if rest := Rest(attempt); rest != "" {
			p.line("")
			p.line("%s", rest)
		}
	}
	p.addresses(r)
	p.idle(idle)
	p.samples(samples)
	return p.Bytes()
}

// addresses lists the result of each address.
func (p *page) addresses(r *result.Result) {
	if len(r.Addresses) == 0 {
		return
	}
	p.section("Addresses")
	for i := range r.Addresses {
		a := &r.Addresses[i]
		text := "succeeded"
		if a.Failure != nil {
			text = "FAILED: " + a.Failure.Sentence()
		}
		p.line("  %-39s %10s  %s", a.Addr, Short(a.Last().Elapsed), text)
	}
}

// idle lists the results of the idle connections.
func (p *page) idle(k *state.Idle) {
	if k == nil || len(k.Ages) == 0 && k.Announced == 0 && k.Lifetime == (lifetime.Search{}) {
		return
	}
	p.section("Idle connections")
	switch {
	case k.Announced > 0:
		p.line("  the server announces an idle timeout of %s", k.Announced)
	case k.Announced < 0:
		p.line("  the server closes the connection after each response")
	}
	for _, a := range k.Ages {
		text := "served a request"
		if f := a.Last.Failure; f != nil {
			text = "FAILED: " + f.Sentence()
		}
		p.line("  %-8s idle for %s: %s", metrics.AgeLabel(a.Age), Short(a.Last.Idle), text)
	}
	if k.Lifetime != (lifetime.Search{}) {
		p.line("  measured: %s", k.Lifetime)
	}
}

// ended is what became of an attempt, in a few words.
func ended(a *result.Attempt) string {
	if a.Failure != nil {
		return a.Failure.Sentence()
	}
	return "succeeded"
}

// verdict is the probe in one sentence, and on failure what it means and where to look.
func (p *page) verdict(r *result.Result) {
	target := r.URL
	if r.Failure != nil {
		p.line("FAILED: %s: %s, after %s", target, r.Failure.Sentence(), Short(r.Elapsed))
		p.line("")
		p.prose(r.Failure.Reason.Info().Sentence)
		return
	}
	response := r.Last().LastHop().Response
	p.line("OK: %s answered %d over %s, in %s", target, response.Status, response.Proto, Short(r.Elapsed))
}

// asked is how the probe was made and how it failed, in the words of the labels.
func (p *page) asked(r *result.Result) {
	p.section("Probe")
	p.line("  module    %s", r.Module)
	if r.Target.Host != "" {
		p.line("  hostname  %s", r.Target.Host)
	}
	p.line("  started   %s", r.Start.UTC().Format(time.RFC3339Nano))
	p.line("  took      %s, timeout %s", Short(r.Elapsed), Short(r.Timeout))
	f := r.Failure
	if f == nil {
		return
	}
	p.line("  failure   phase=%s reason=%s errno=%s origin=%s", f.Phase, f.Reason, result.ErrnoName(f.Errno), f.Origin)
	if f.Check != "" {
		p.line("  check     %s, rule %d", f.Check, f.Index)
	}
	if f.Err != nil {
		p.line("  error     %s", f.Err)
	}
}

// samples are the metrics as a scrape in text format would get them.
func (p *page) samples(samples *metrics.Exposition) {
	p.section("Metrics")
	for line := range strings.Lines(samples.Text()) {
		p.line("%s", strings.TrimSuffix(line, "\n"))
	}
}
