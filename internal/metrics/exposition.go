package metrics

import (
	"slices"
	"strings"
	"unicode/utf8"

	dto "github.com/prometheus/client_model/go"

	"errno_exporter/internal/escape"
	"errno_exporter/internal/target/state"
)

// Exposition collects the samples of one answer by family, of one probe or of a thousand targets, and writes them in
// any of Prometheus's formats. A registry would do the same at several times the cost: it makes, checks and sorts each
// sample again. It is used by one goroutine.
type Exposition struct {
	families []family // in the order of their first sample
	index    map[string]int
	order    []int           // of the families, by name; shorter than they are where it has to be rebuilt
	next     int             // where the family is expected that is added to next: targets have much the same
	target   string          // the label target of what is added; empty for none
	detail   Detail          // of what is added
	labels   []label         // of the samples, in one piece
	copies   []*state.Counts // of targets; those behind the first ones are used again
	targets  int             // whose counts are in use
}

// family is the samples of one name.
type family struct {
	name, help string
	kind       dto.MetricType
	heads      [2]string // the HELP and TYPE lines, by dialect; made when they are first written
	samples    []sample
}

// sample is one time series now.
type sample struct {
	target    string
	labels    []label
	value     float64
	histogram *state.Histogram // of histograms, instead of value
	buckets   buckets          // of a histogram
	exemplar  *state.Exemplar  // of a counter; may be nil
}

// NewExposition returns one without samples.
func NewExposition() *Exposition {
	return &Exposition{families: make([]family, 0, 48), index: make(map[string]int, 48)}
}

// Reset takes all samples away. Their memory is used again, and so is what was made of their families: one answer to
// /probe has much the same families as the next.
func (e *Exposition) Reset() {
	for i := range e.families {
		clear(e.families[i].samples) // which refer to strings
		e.families[i].samples = e.families[i].samples[:0]
	}
	clear(e.labels)
	e.labels, e.targets = e.labels[:0], 0
	e.next, e.target, e.detail = 0, "", Whole
}

// For makes what is added from here on carry a label target.
func (e *Exposition) For(target string) {
	e.target, e.next = target, 0
}

// gauge adds a gauge's sample.
func (e *Exposition) gauge(name, help string, value float64, labels ...label) {
	e.add(name, help, dto.MetricType_GAUGE, sample{value: value}, labels...)
}

// counter adds a counter's sample. Its name ends in _total.
func (e *Exposition) counter(name, help string, value float64, labels ...label) {
	e.add(name, help, dto.MetricType_COUNTER, sample{value: value}, labels...)
}

func (e *Exposition) add(name, help string, kind dto.MetricType, s sample, labels ...label) {
	s.target = e.target
	if n := len(e.labels); len(labels) > 0 {
		e.labels = append(e.labels, labels...)
		s.labels = e.labels[n:len(e.labels):len(e.labels)]
		for i := range s.labels {
			s.labels[i].value = boundedLabel(s.labels[i].value)
		}
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

// sorted are the families by name, as a registry would give them. Some may have no samples.
func (e *Exposition) sorted() []int {
	if len(e.order) != len(e.families) {
		e.order = e.order[:0]
		for i := range e.families {
			e.order = append(e.order, i)
		}
		slices.SortFunc(e.order, func(a, b int) int { return strings.Compare(e.families[a].name, e.families[b].name) })
	}
	return e.order
}

// maxLabelValue bounds a label value in bytes. The longest are names in certificates, which servers choose.
const maxLabelValue = 512

// label is one label of a sample.
type label struct{ name, value string }

// boundedLabel makes an outside text fit to be a label value: printable, and cut at maxLabelValue bytes between
// characters.
func boundedLabel(s string) string {
	if s = escape.Label(s); len(s) <= maxLabelValue {
		return s
	}
	end := maxLabelValue
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// number is 1 for true.
func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
