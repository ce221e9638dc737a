package web

import (
	"fmt"
	"time"

	"errno_exporter/internal/record"
	"errno_exporter/internal/target/state"
	"errno_exporter/prober/result"
)

// A chart shows the last results of a target: a bar for each, of its phases above each other, as high as the probe took
// long. A failure has a mark below its bar, so that it is not shown by colour alone.

// The places in the picture.
const (
	chartHeight         = 150 // of the highest bar
	chartStep, chartBar = 15, 11
	chartMarks          = chartHeight + 5
	chartMark           = 10
)

type chart struct {
	Width, Height int
	Base          int // where the axis is
	Bars          []chartBox
	Failed        []chartBox
	Scale         string // what the highest bar took
	First, Last   time.Time
	Legend        []result.Phase
	Label         string // in words
}

type chartBox struct {
	Class               string
	X, Y, Width, Height float64
	Title               string
}

// newChart is the picture of results; nil of none.
func newChart(ticks []state.Tick) *chart {
	if len(ticks) == 0 {
		return nil
	}
	c := &chart{Width: state.MaxTicks * chartStep, Height: chartMarks + chartMark, Base: chartHeight,
		First: ticks[0].Ended.UTC(), Last: ticks[len(ticks)-1].Ended.UTC()}
	var slowest time.Duration
	seen, failed := state.PhaseTimes{}, 0
	for i := range ticks {
		slowest = max(slowest, ticks[i].Elapsed)
		for phase, seconds := range ticks[i].Phases {
			seen[phase] += seconds
		}
	}
	slowest = max(slowest, time.Microsecond)
	for i := range ticks {
		c.add(&ticks[i], state.MaxTicks-len(ticks)+i, slowest)
		if ticks[i].Failure != nil {
			failed++
		}
	}
	for phase, seconds := range seen {
		if seconds > 0 {
			c.Legend = append(c.Legend, result.Phases[phase].Phase)
		}
	}
	c.Scale = record.Short(slowest)
	c.Label = fmt.Sprintf("The last %d results, from %s to %s UTC: %d failed, the longest took %s", len(ticks),
		c.First.Format(time.DateTime), c.Last.Format(time.DateTime), failed, c.Scale)
	return c
}

// add adds the bar of a result.
func (c *chart) add(t *state.Tick, place int, slowest time.Duration) {
	x := float64(place * chartStep)
	y, unit := float64(c.Base), chartHeight/slowest.Seconds()
	title := fmt.Sprintf("%s UTC: ", t.Ended.UTC().Format(time.DateTime))
	if t.Failure != nil {
		title += t.Failure.Sentence() + ", after " + record.Short(t.Elapsed)
		c.Failed = append(c.Failed, chartBox{X: x, Y: chartMarks, Width: chartBar, Height: chartMark, Title: title})
	} else {
		title += "succeeded in " + record.Short(t.Elapsed)
	}
	rest := t.Elapsed.Seconds()
	for phase, seconds := range t.Phases {
		part := min(float64(seconds), max(rest, 0)) // float32 may round up
		if part <= 0 {
			continue
		}
		rest -= part
		y -= part * unit
		c.Bars = append(c.Bars, chartBox{"p-" + string(result.Phases[phase].Phase), x, y, chartBar, part * unit, title})
	}
	if rest > 0 {
		c.Bars = append(c.Bars, chartBox{"p-rest", x, y - rest*unit, chartBar, rest * unit, title})
	}
}
