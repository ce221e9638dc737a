package metrics

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// kinds are the words of the TYPE line.
var kinds = map[dto.MetricType]string{
	dto.MetricType_GAUGE: "gauge", dto.MetricType_COUNTER: "counter", dto.MetricType_HISTOGRAM: "histogram",
}

// headLines are the lines HELP and TYPE.
func (f *family) headLines(d dialect) string {
	name := f.name
	if d == openMetrics {
		name = strings.TrimSuffix(name, "_total")
	}
	// our own words: nothing in them needs an escape
	return "# HELP " + name + " " + f.help + "\n# TYPE " + name + " " + kinds[f.kind] + "\n"
}

func (f *family) appendSample(b []byte, s *sample, d dialect) []byte {
	if s.histogram != nil {
		return f.appendHistogram(b, s, d)
	}
	b = appendBraces(append(b, f.name...), s.labels)
	b = appendFloat(append(b, ' '), s.value, d)
	if s.exemplar != nil && d == openMetrics {
		b = appendExemplar(b, s.exemplar)
	}
	return append(b, '\n')
}

// appendBraces writes labels, each of which has a comma behind it, in braces.
func appendBraces(b, labels []byte) []byte {
	if len(labels) == 0 {
		return b
	}
	b = append(append(b, '{'), labels...)
	b[len(b)-1] = '}' // in place of the last comma
	return b
}

// appendPair writes a label with a comma behind it.
func appendPair(b []byte, name, value string) []byte {
	b = append(append(b, name...), '=', '"')
	return append(appendEscaped(b, value), '"', ',')
}

func appendEscaped(b []byte, value string) []byte {
	from := 0 // up to here it is written
	for i := range len(value) {
		switch value[i] {
		case '\\', '"':
			b = append(append(b, value[from:i]...), '\\')
			from = i
		case '\n':
			b = append(append(b, value[from:i]...), `\n`...)
			from = i + 1
		}
	}
	return append(b, value[from:]...)
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

// appendHistogram writes the classic buckets, if it has them: the text formats know no others.
func (f *family) appendHistogram(b []byte, s *sample, d dialect) []byte {
	if !s.buckets.classic() {
		return b
	}
	h, counts := s.histogram, s.histogram.Classic()
	var cumulative uint64
	from := len(b)
	b = append(append(append(b, f.name...), "_bucket{"...), s.labels...)
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
	b = appendBraces(append(append(b, f.name...), "_sum"...), s.labels)
	b = append(appendFloat(append(b, ' '), h.Sum, d), '\n')
	b = appendBraces(append(append(b, f.name...), "_count"...), s.labels)
	return append(strconv.AppendUint(append(b, ' '), cumulative, 10), '\n')
}
