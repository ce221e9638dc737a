package metrics

import (
	"bytes"
	"errors"
	"io"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// Delimited is the format of the protocol buffers that Prometheus reads.
var Delimited = expfmt.NewFormat(expfmt.TypeProtoDelim)

// Families are the samples of an exposition in this format, as client_model reads them.
func (e *Exposition) Families(t *testing.T) (all []*dto.MetricFamily) {
	t.Helper()
	var written bytes.Buffer
	if err := e.Write(&written); err != nil {
		t.Fatal(err)
	}
	decoder := expfmt.NewDecoder(&written, Delimited)
	for {
		family := new(dto.MetricFamily)
		if err := decoder.Decode(family); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, family)
	}
}
