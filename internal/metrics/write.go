package metrics

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// WriteTo writes the samples in a format that expfmt negotiated. OpenMetrics is left without its end: more may follow,
// and then CloseOpenMetrics.
func (e *Exposition) WriteTo(w io.Writer, format expfmt.Format) error {
	if d, ok := dialectOf(format); ok {
		return e.writeText(w, d)
	}
	encoder := expfmt.NewEncoder(w, format)
	for _, family := range e.Families() {
		if err := encoder.Encode(family); err != nil {
			return fmt.Errorf("encode %s: %w", family.GetName(), err)
		}
	}
	return nil
}

// Text is the samples in Prometheus's text format.
func (e *Exposition) Text() string {
	var b strings.Builder
	_ = e.writeText(&b, plainText) // a Builder takes everything
	return b.String()
}

// CloseOpenMetrics ends an answer in OpenMetrics; other formats need no end.
func CloseOpenMetrics(w io.Writer, format expfmt.Format) error {
	if d, ok := dialectOf(format); !ok || d != openMetrics {
		return nil
	}
	_, err := io.WriteString(w, "# EOF\n")
	return err
}

// dialect is a text format: Prometheus's own, version 0.0.4, or OpenMetrics 1.0.
type dialect int

const (
	plainText dialect = iota
	openMetrics
)

// dialectOf is a text format's dialect; false for other formats. A Format is a media type, the kind of which expfmt
// would find by parsing it.
func dialectOf(format expfmt.Format) (dialect, bool) {
	switch {
	case strings.HasPrefix(string(format), "text/plain"):
		return plainText, true
	case strings.HasPrefix(string(format), expfmt.OpenMetricsType):
		return openMetrics, true
	}
	return plainText, false
}

// flushAt is the size at which the text so far is handed on.
const flushAt = 32 << 10

func (e *Exposition) writeText(w io.Writer, d dialect) error {
	var text []byte
	whole, buffered := w.(*bytes.Buffer)
	if buffered {
		text = whole.AvailableBuffer() // what is written to it then moves nothing
	} else {
		text = make([]byte, 0, flushAt+4<<10)
	}
	for _, at := range e.sorted() {
		f, headed := &e.families[at], false
		for i := range f.samples {
			if !f.samples[i].inText() {
				continue
			}
			if !headed {
				text, headed = append(text, f.head(d)...), true
			}
			text = f.appendSample(text, &f.samples[i], d)
			if !buffered && len(text) >= flushAt {
				if _, err := w.Write(text); err != nil {
					return err
				}
				text = text[:0]
			}
		}
	}
	_, err := w.Write(text)
	return err
}

// kinds are the words of the TYPE line.
var kinds = map[dto.MetricType]string{
	dto.MetricType_GAUGE: "gauge", dto.MetricType_COUNTER: "counter", dto.MetricType_HISTOGRAM: "histogram",
}

// head is the lines HELP and TYPE.
func (f *family) head(d dialect) string {
	if f.heads[d] == "" {
		name := f.name
		if d == openMetrics {
			name = strings.TrimSuffix(name, "_total")
		}
		// our own words: nothing in them needs an escape
		f.heads[d] = "# HELP " + name + " " + f.help + "\n# TYPE " + name + " " + kinds[f.kind] + "\n"
	}
	return f.heads[d]
}

// inText reports whether the text formats have the sample: they know no native histograms.
func (s *sample) inText() bool { return s.histogram == nil || s.buckets.classic() }

func (f *family) appendSample(b []byte, s *sample, d dialect) []byte {
	if s.histogram != nil {
		return f.appendHistogram(b, s, d)
	}
	b = appendLabels(append(b, f.name...), s)
	b = appendFloat(append(b, ' '), s.value, d)
	if s.exemplar != nil && d == openMetrics {
		b = appendExemplar(b, s.exemplar)
	}
	return append(b, '\n')
}

// appendLabels writes a sample's labels.
func appendLabels(b []byte, s *sample) []byte {
	if len(s.labels) == 0 && s.target == "" {
		return b
	}
	b = appendPairs(append(b, '{'), s)
	b[len(b)-1] = '}' // in place of the last comma
	return b
}

// appendPairs writes a sample's labels, each with a comma behind it.
func appendPairs(b []byte, s *sample) []byte {
	for i := range s.labels {
		b = appendPair(b, s.labels[i].name, s.labels[i].value)
	}
	if s.target != "" {
		b = appendPair(b, "target", s.target)
	}
	return b
}

func appendPair(b []byte, name, value string) []byte {
	b = append(append(b, name...), '=', '"')
	return append(appendEscaped(b, value), '"', ',')
}

func appendEscaped(b []byte, value string) []byte {
	for i := range len(value) {
		switch c := value[i]; c {
		case '\\', '"':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		default:
			b = append(b, c)
		}
	}
	return b
}

// smallInteger is below what a float is written with an exponent from.
const smallInteger = 1e6

// appendFloat writes a value; in OpenMetrics it always looks like a float.
func appendFloat(b []byte, v float64, d dialect) []byte {
	switch {
	case math.IsNaN(v):
		return append(b, "NaN"...)
	case math.IsInf(v, 1):
		return append(b, "+Inf"...)
	case math.IsInf(v, -1):
		return append(b, "-Inf"...)
	}
	from := len(b)
	if v > 0 && v < smallInteger && v == math.Trunc(v) {
		b = strconv.AppendUint(b, uint64(v), 10)
	} else {
		b = strconv.AppendFloat(b, v, 'g', -1, 64)
	}
	if d == openMetrics && !bytes.ContainsAny(b[from:], ".e") {
		b = append(b, ".0"...)
	}
	return b
}

// appendHistogram writes the classic buckets: the text formats know no others.
func (f *family) appendHistogram(b []byte, s *sample, d dialect) []byte {
	h, counts := s.histogram, s.histogram.Classic()
	var cumulative uint64
	from := len(b)
	b = appendPairs(append(append(b, f.name...), "_bucket{"...), s)
	to := len(b) // up to here all buckets are the same
	for i, bound := range boundTexts[d][h.Phase] {
		if i > 0 {
			b = append(b, b[from:to]...)
		}
		cumulative += counts[i]
		b = append(append(append(b, `le="`...), bound...), `"} `...)
		b = strconv.AppendUint(b, cumulative, 10)
		if x := h.Exemplar(i); x != nil && d == openMetrics {
			b = appendExemplar(b, x)
		}
		b = append(b, '\n')
	}
	b = appendLabels(append(append(b, f.name...), "_sum"...), s)
	b = append(appendFloat(append(b, ' '), h.Sum, d), '\n')
	b = appendLabels(append(append(b, f.name...), "_count"...), s)
	return append(strconv.AppendUint(append(b, ' '), cumulative, 10), '\n')
}
