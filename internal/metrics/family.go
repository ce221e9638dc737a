package metrics

import (
	"slices"
	"strings"
	"unicode/utf8"

	dto "github.com/prometheus/client_model/go"
)

// maxLabelValue bounds a label value in bytes. The longest are names in certificates, which a stranger chooses.
const maxLabelValue = 512

// families collects gauges, one family a name.
type families []*dto.MetricFamily

// label is one label of a sample.
type label struct{ name, value string }

// gauge adds a sample. Samples of one name are given one after the other, with the same labels in alphabetical order.
func (f *families) gauge(name, help string, value float64, labels ...label) {
	metric := &dto.Metric{Gauge: &dto.Gauge{Value: &value}}
	for _, l := range labels {
		metric.Label = append(metric.Label, &dto.LabelPair{Name: &l.name, Value: new(boundedLabel(l.value))})
	}
	if last := len(*f) - 1; last >= 0 && (*f)[last].GetName() == name {
		(*f)[last].Metric = append((*f)[last].Metric, metric)
		return
	}
	*f = append(*f, &dto.MetricFamily{Name: &name, Help: &help, Type: dto.MetricType_GAUGE.Enum(), Metric: []*dto.Metric{metric}})
}

// sorted returns the families by name, as a registry would give them.
func (f families) sorted() []*dto.MetricFamily {
	slices.SortFunc(f, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
	return f
}

// boundedLabel makes a stranger's text fit to be a label value: valid UTF-8, and cut at maxLabelValue bytes between characters.
func boundedLabel(s string) string {
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	if len(s) <= maxLabelValue {
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
