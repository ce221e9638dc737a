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

// WriteTo writes the samples in a format that expfmt negotiated. OpenMetrics is left without its end: more may follow, and then
// CloseOpenMetrics.
func (e *Exposition) WriteTo(w io.Writer, format expfmt.Format) error {
	switch format.FormatType() {
	case expfmt.TypeOpenMetrics:
		return e.writeText(w, openMetrics)
	case expfmt.TypeTextPlain:
		return e.writeText(w, plainText)
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
	if format.FormatType() != expfmt.TypeOpenMetrics {
		return nil
	}
	_, err := io.WriteString(w, "# EOF\n")
	return err
}

// dialect is a text format: Prometheus's own, version 0.0.4, or OpenMetrics 1.0.
type dialect bool

const (
	plainText   dialect = false
	openMetrics dialect = true
)

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
	for _, f := range e.sorted() {
		text = f.appendHead(text, d)
		for i := range f.samples {
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

func (f *family) appendHead(b []byte, d dialect) []byte {
	name := f.name
	if d == openMetrics {
		name = strings.TrimSuffix(name, "_total")
	}
	b = append(append(append(b, "# HELP "...), name...), ' ')
	b = append(append(b, f.help...), '\n') // our own words: nothing in them needs an escape
	b = append(append(append(b, "# TYPE "...), name...), ' ')
	return append(append(b, kinds[f.kind]...), '\n')
}

func (f *family) appendSample(b []byte, s *sample, d dialect) []byte {
	if s.histogram != nil {
		return f.appendHistogram(b, s, d)
	}
	b = appendLabels(append(b, f.name...), s, "")
	return append(appendFloat(append(b, ' '), s.value, d), '\n')
}

// appendLabels writes a sample's labels, and le if it is not empty.
func appendLabels(b []byte, s *sample, le string) []byte {
	before := byte('{')
	write := func(name, value string) {
		b = append(append(append(b, before), name...), '=', '"')
		b = append(appendEscaped(b, value), '"')
		before = ','
	}
	for _, l := range s.labels {
		write(l.name, l.value)
	}
	if s.target != "" {
		write("target", s.target)
	}
	if le != "" {
		write("le", le)
	}
	if before == ',' {
		b = append(b, '}')
	}
	return b
}

func appendEscaped(b []byte, value string) []byte {
	if !strings.ContainsAny(value, "\\\"\n") {
		return append(b, value...)
	}
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
	b = strconv.AppendFloat(b, v, 'g', -1, 64)
	if d == openMetrics && !strings.ContainsAny(string(b[from:]), ".e") {
		b = append(b, ".0"...)
	}
	return b
}

// appendHistogram writes the classic buckets: the text formats know no others.
func (f *family) appendHistogram(b []byte, s *sample, d dialect) []byte {
	h := s.histogram
	var cumulative uint64
	for i := range h.classic {
		cumulative += h.classic[i]
		b = appendLabels(append(append(b, f.name...), "_bucket"...), s, boundTexts[d][i])
		b = strconv.AppendUint(append(b, ' '), cumulative, 10)
		if x := h.exemplarOf(i); x != nil && d == openMetrics {
			b = append(append(append(b, ` # {trace_id="`...), x.traceID...), `"} `...)
			b = append(appendFloat(b, x.value, d), ' ')
			b = appendFloat(b, float64(x.at.UnixNano())/1e9, d)
		}
		b = append(b, '\n')
	}
	b = appendLabels(append(append(b, f.name...), "_sum"...), s, "")
	b = append(appendFloat(append(b, ' '), h.sum, d), '\n')
	b = appendLabels(append(append(b, f.name...), "_count"...), s, "")
	return append(strconv.AppendUint(append(b, ' '), cumulative, 10), '\n')
}
