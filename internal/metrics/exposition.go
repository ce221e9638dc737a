package metrics

import (
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// Exposition collects the samples of one answer by family, of one probe or of a thousand targets, and writes them in any of
// Prometheus's formats. A registry would do the same at several times the cost: it makes, checks and sorts each sample anew.
// It is used by one goroutine.
type Exposition struct {
	families []family // in the order of their first sample
	index    map[string]int
	next     int    // where the family is expected that is added to next: targets have much the same
	target   string // the label target of what is added; empty for none
}

// family is the samples of one name.
type family struct {
	name, help string
	kind       dto.MetricType
	samples    []sample
}

// sample is one time series now.
type sample struct {
	target    string
	labels    []label
	value     float64
	histogram *histogram // of histograms, instead of value
}

// exemplar is one observation that stands for its bucket.
type exemplar struct {
	traceID string
	value   float64
	at      time.Time
}

// NewExposition returns one without samples.
func NewExposition() *Exposition {
	return &Exposition{families: make([]family, 0, 48), index: make(map[string]int, 48)}
}

// For makes what is added from here on carry a label target.
func (e *Exposition) For(target string) {
	e.target, e.next = target, 0
}

// gauge adds a gauge's sample.
func (e *Exposition) gauge(name, help string, value float64, labels ...label) {
	e.add(name, help, dto.MetricType_GAUGE, sample{labels: labels, value: value})
}

// counter adds a counter's sample. Its name ends in _total.
func (e *Exposition) counter(name, help string, value float64, labels ...label) {
	e.add(name, help, dto.MetricType_COUNTER, sample{labels: labels, value: value})
}

func (e *Exposition) add(name, help string, kind dto.MetricType, s sample) {
	s.target = e.target
	for i := range s.labels {
		s.labels[i].value = boundedLabel(s.labels[i].value)
	}
	at := e.familyOf(name, help, kind)
	e.families[at].samples = append(e.families[at].samples, s)
	e.next = at
}

func (e *Exposition) familyOf(name, help string, kind dto.MetricType) int {
	for at := e.next; at < len(e.families) && at < e.next+2; at++ {
		if e.families[at].name == name {
			return at
		}
	}
	at, known := e.index[name]
	if !known {
		at = len(e.families)
		e.index[name] = at
		e.families = append(e.families, family{name: name, help: help, kind: kind})
	}
	return at
}

// sorted returns the families by name, as a registry would give them.
func (e *Exposition) sorted() []*family {
	all := make([]*family, len(e.families))
	for i := range e.families {
		all[i] = &e.families[i]
	}
	slices.SortFunc(all, func(a, b *family) int { return strings.Compare(a.name, b.name) })
	return all
}
