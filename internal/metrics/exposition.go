package metrics

import (
	"slices"
	"strings"
	"unicode/utf8"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"errno_exporter/internal/escape"
	"errno_exporter/internal/target/state"
)

// Exposition writes the samples of one answer, of one probe or of a thousand targets, in any of Prometheus's formats. A
// registry would do the same at several times the cost: it makes, checks and sorts each sample again. A sample is
// written when it is added, behind those of its family, and nothing else is kept of it. It is used by one goroutine.
type Exposition struct {
	format   expfmt.Format
	dialect  dialect  // of the format
	families []family // in the order of their first sample
	index    map[string]int
	order    []int        // of the families, by name; shorter than they are where it has to be rebuilt
	next     int          // where the family is expected that is added to next: targets have much the same
	target   []byte       // the label target of what is added, as it is written; empty for none
	labels   []byte       // of the sample that is added, as they are written
	counts   state.Counts // of the target that is added
	detail   Detail       // of what is added
}

// family is the samples of one name.
type family struct {
	name, help string
	kind       dto.MetricType
	heads      [dialects]string // what is written before the samples; made when it is first written
	written    []byte           // the samples
}

// sample is one time series now.
type sample struct {
	labels    []byte // as they are written
	value     float64
	histogram *state.Histogram // of histograms, instead of value
	buckets   buckets          // of a histogram
	exemplar  *state.Exemplar  // of a counter; may be nil
}

// NewExposition returns one without samples, in Prometheus's text format.
func NewExposition() *Exposition {
	return &Exposition{families: make([]family, 0, 48), index: make(map[string]int, 48)}
}

// Reset takes all samples away; those that are added from here on are written in a format that expfmt negotiated. Their
// memory is used again, and so is what was made of their families: one answer to /probe has much the same families as
// the next.
func (e *Exposition) Reset(format expfmt.Format) {
	for i := range e.families {
		e.families[i].written = e.families[i].written[:0]
	}
	e.format, e.dialect = format, dialectOf(format)
	e.next, e.target, e.detail = 0, e.target[:0], Whole
}

// For makes what is added from here on carry a label target.
func (e *Exposition) For(target string) {
	e.target, e.next = e.dialect.appendLabel(e.target[:0], "target", target), 0
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
	e.labels = e.labels[:0]
	for i := range labels {
		e.labels = e.dialect.appendLabel(e.labels, labels[i].name, boundedLabel(labels[i].value))
	}
	e.labels = append(e.labels, e.target...)
	s.labels = e.labels
	at := e.familyOf(name, help, kind)
	f := &e.families[at]
	if e.dialect == protobuf {
		f.written = appendMetric(f.written, kind, &s)
	} else {
		f.written = f.appendSample(f.written, &s, e.dialect)
	}
	e.next = at
}

// firstSample is how much memory a family has at first: what most samples of a probe take.
const firstSample = 128

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
		e.families = append(e.families, family{name: name, help: help, kind: kind,
			written: make([]byte, 0, firstSample)})
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
