package web

import (
	"fmt"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/internal/record"
	"errno_exporter/internal/target/state"
)

// The page of a thousand targets is less than 200 KB: what each line has comes first, then what there is room for. What
// fails comes first, so that it has the most.

// pageRoom is the size of the page in bytes; of so many targets that their lines alone take more, it is larger.
const pageRoom = 195_000

// What parts of a page take, in bytes.
const (
	frameBytes   = 5_000 // what is not a line
	lineBytes    = 76    // a line without its texts
	svgBytes     = 24    // a picture
	pathBytes    = 24    // and each of its lines, without its points
	headingBytes = 100
	timeBytes    = 42
	failureBytes = 280 // with the links to the record and the incident
	partBytes    = 20  // of anything else
	linkBytes    = 115 // a result that leads to its record, without its title
)

// room is how many bytes are left.
type room int

// takes reports whether there is room for a part, and takes it.
func (r *room) takes(n int) bool {
	if n > int(*r) {
		return false
	}
	*r -= room(n)
	return true
}

// furnish adds to the lines what there is room for.
func (p *statusPage) furnish(kept func(ulid.ULID) bool, now time.Time) {
	left, urls := room(pageRoom-frameBytes-len(p.Scrape)), 0
	for i := range p.Blocks {
		left -= room(headingBytes + len(p.Blocks[i].Heading) + len(p.Blocks[i].Cause))
	}
	p.each(func(_ *statusBlock, r *statusRow) {
		left -= room(r.size())
		urls += len(r.Target.ShownURL) + len(r.Target.Module.Name) + 2*partBytes
		for _, l := range r.Target.Labels {
			urls += len(l.Name) + len(l.Value) + partBytes
		}
	})
	explain := func(b *statusBlock, r *statusRow) {
		r.addFailure(&left, b.Sentence, now)
		if r.Last != nil && kept(r.Failure.Record) {
			r.Last.Record = r.Failure.Record
		}
		r.addCause(&left, b.Cause)
	}
	p.each(func(b *statusBlock, r *statusRow) {
		if r.State != "ok" {
			explain(b, r)
		}
	})
	p.each(func(_ *statusBlock, r *statusRow) { r.addPicture(&left) })
	p.each(func(b *statusBlock, r *statusRow) {
		if r.State == "ok" {
			explain(b, r)
		}
	})
	shown := left.takes(urls)
	p.each(func(_ *statusBlock, r *statusRow) {
		r.ShowURL = shown
		if !left.takes(timeBytes) {
			r.Began = ""
		}
	})
	p.each(func(_ *statusBlock, r *statusRow) { r.addDetails(&left) })
	p.each(func(_ *statusBlock, r *statusRow) { r.addLinks(&left, kept) })
}

// size is what the line takes with what each line has.
func (r *statusRow) size() int {
	n := lineBytes + len(r.Path()) + len(r.Target.Name)
	for _, text := range []string{r.Word, r.For, r.Results, r.Hour, r.Day, r.Month, r.Half, r.Almost} {
		n += len(text)
	}
	return n
}

func (p *statusPage) each(do func(*statusBlock, *statusRow)) {
	for i := range p.Blocks {
		for j := range p.Blocks[i].Rows {
			do(&p.Blocks[i], &p.Blocks[i].Rows[j])
		}
	}
}

// addFailure adds the last failure, whose sentence the heading may have.
func (r *statusRow) addFailure(left *room, heading string, now time.Time) {
	last := r.Failure
	if last == nil {
		return
	}
	f := &rowFailure{Sentence: last.Sentence, Ago: span(now.Sub(last.Time)), Time: stamp(last.Time)}
	if r.State == string(state.Failing) {
		f.Incident = r.Incident
	}
	if f.Sentence == heading {
		f.Sentence = ""
	}
	switch reason := string(last.Reason); {
	case left.takes(failureBytes + len(f.Sentence)):
		r.Last = f
	case f.Sentence != "" && left.takes(len(reason)):
		r.Reason = reason
	}
}

// addCause adds the verdict, unless the heading has it, and what fails although the last probe succeeded.
func (r *statusRow) addCause(left *room, heading string) {
	if text := causeText(r.Verdict); text != heading && left.takes(partBytes+len(text)) {
		r.Cause = text
	}
	for i, text := range r.Warnings {
		if !left.takes(partBytes + len(text)) {
			r.Warnings = r.Warnings[:i]
			return
		}
	}
}

// addDetails adds what the verdict is made from.
func (r *statusRow) addDetails(left *room) {
	c := toCause(r.Verdict)
	if c == nil {
		return
	}
	n := 4*partBytes + len(c.Advice) + len(r.Target.Name)
	for _, text := range append(c.Evidence, c.Next...) {
		n += partBytes + len(text)
	}
	for _, o := range c.RuledOut {
		n += 3*partBytes + len(o.Cause) + len(o.By)
	}
	for _, o := range c.Open {
		n += 2*partBytes + len(o)
	}
	if left.takes(n) {
		r.Details = c
	}
}

// addLinks makes the results whose records are kept lead to them.
func (r *statusRow) addLinks(left *room, kept func(ulid.ULID) bool) {
	var links []tickLink
	for i := range r.Timeline.Ticks {
		t := &r.Timeline.Ticks[i]
		if *left < linkBytes {
			break
		}
		if !kept(t.Record) {
			continue
		}
		word := "ok"
		if t.Failure != nil {
			word = t.Failure.Sentence()
		}
		title := fmt.Sprintf("%s: %s, in %s", t.Ended.UTC().Format(time.DateTime), word, record.Short(t.Elapsed))
		if left.takes(linkBytes + len(title)) {
			x := (state.MaxTicks - len(r.Timeline.Ticks) + i) * tickStep
			links = append(links, tickLink{Record: t.Record, OK: t.Failure == nil, Title: title, X: x})
		}
	}
	if len(links) > 0 {
		links[len(links)-1].Stop = true
		r.Links = links
	}
}

// tickLink is a result that leads to its record.
type tickLink struct {
	Record ulid.ULID
	OK     bool
	Title  string
	Stop   bool // the tab key stops at it
	X      int
}

// tickStep is the width of a result in the picture, which is drawn with dashes of that length.
const tickStep = 4

// addPicture draws the results, the newest at the right: a line for all of them, and over it a line for each run of
// failures.
func (r *statusRow) addPicture(left *room) {
	ticks := r.Timeline.Ticks
	first := state.MaxTicks - len(ticks)
	var bad strings.Builder
	for i := 0; i < len(ticks); i++ {
		from := i
		for i < len(ticks) && ticks[i].Failure != nil {
			i++
		}
		if i > from {
			fmt.Fprintf(&bad, "M%d 8h%d", (first+from)*tickStep, (i-from)*tickStep)
		}
	}
	ok, n := "", svgBytes
	if first > 0 {
		ok = fmt.Sprintf("M%d 8h%d", first*tickStep, len(ticks)*tickStep)
	}
	for _, path := range []string{ok, bad.String()} {
		if path != "" {
			n += pathBytes + len(path)
		}
	}
	if len(ticks) > 0 && left.takes(n) {
		r.Drawn, r.OK, r.Bad = true, ok, bad.String()
	}
}
