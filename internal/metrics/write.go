package metrics

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// dialect is how samples are written: in Prometheus's text format, version 0.0.4, in OpenMetrics 1.0, or as protocol
// buffers.
type dialect int

const (
	plainText dialect = iota
	openMetrics
	protobuf
	dialects
)

// dialectOf is the dialect of a format. A Format is a media type, the kind of which expfmt would find by parsing it.
func dialectOf(format expfmt.Format) dialect {
	switch {
	case strings.HasPrefix(string(format), expfmt.ProtoType):
		return protobuf
	case strings.HasPrefix(string(format), expfmt.OpenMetricsType):
		return openMetrics
	}
	return plainText
}

// Write writes the samples, which are the last ones of an answer: OpenMetrics ends with them.
func (e *Exposition) Write(w io.Writer) error {
	if e.dialect == protobuf && e.format.FormatType() != expfmt.TypeProtoDelim {
		return e.translateTo(w)
	}
	if err := e.writeFamilies(w); err != nil || e.dialect != openMetrics {
		return err
	}
	_, err := io.WriteString(w, "# EOF\n")
	return err
}

// writeFamilies writes the samples by family, in the order of their names.
func (e *Exposition) writeFamilies(w io.Writer) error {
	for _, at := range e.sorted() {
		f := &e.families[at]
		if len(f.written) == 0 {
			continue
		}
		if e.dialect == protobuf {
			if _, err := w.Write(f.delimiter()); err != nil {
				return err
			}
		}
		if _, err := io.WriteString(w, f.head(e.dialect)); err != nil {
			return err
		}
		if _, err := w.Write(f.written); err != nil {
			return err
		}
	}
	return nil
}

// translateTo writes protocol buffers as text, which is for people, by way of client_model's messages.
func (e *Exposition) translateTo(w io.Writer) error {
	var delimited bytes.Buffer
	_ = e.writeFamilies(&delimited) // a buffer takes everything
	decoder := expfmt.NewDecoder(&delimited, expfmt.NewFormat(expfmt.TypeProtoDelim))
	encoder := expfmt.NewEncoder(w, e.format)
	for {
		var family dto.MetricFamily
		if err := decoder.Decode(&family); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("decode a family: %w", err)
		}
		if err := encoder.Encode(&family); err != nil {
			return fmt.Errorf("encode %s: %w", family.GetName(), err)
		}
	}
}

// Text is the samples, in a text format.
func (e *Exposition) Text() string {
	var b strings.Builder
	_ = e.writeFamilies(&b) // a Builder takes everything
	return b.String()
}

// head is what is written before a family's samples.
func (f *family) head(d dialect) string {
	if f.heads[d] == "" {
		if d == protobuf {
			f.heads[d] = f.headMessage()
		} else {
			f.heads[d] = f.headLines(d)
		}
	}
	return f.heads[d]
}

// appendLabel writes a label of a sample.
func (d dialect) appendLabel(b []byte, name, value string) []byte {
	if d == protobuf {
		return appendLabelPair(b, name, value)
	}
	return appendPair(b, name, value)
}
