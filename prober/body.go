package prober

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"

	"errno_exporter/prober/classify"
	"errno_exporter/prober/flood"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
	"errno_exporter/prober/upstream"
)

// bodyBuffer is the size of the buffers that bodies are read into.
const bodyBuffer = 16 << 10

var errBodyTooLarge = errors.New("body is larger than body_size_limit")

// maxStoredBody bounds what a record has of a body.
const maxStoredBody = 2 << 10

// prefix keeps the beginning of what is written.
type prefix []byte

func (p *prefix) Write(b []byte) (int, error) {
	*p = append(*p, b[:min(len(b), maxStoredBody-len(*p))]...)
	return len(b), nil
}

// source is the body as net/http gives it. It keeps the error that ended it, so that a broken connection is told from
// broken compression.
type source struct {
	io.Reader
	hop *hop
	err error // nil before the end; io.EOF at a good one
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if flood := s.hop.cameInBody(n); flood != nil {
		err = flood
	}
	if err != nil {
		s.err = err
	}
	return n, err
}

// readBody reads the body to its end, and returns it if the module's checks need it. A redirect's body is of no
// interest.
func (h *hop) readBody() ([]byte, error) {
	m := h.attempt.module
	if h.attempt.follows(h) {
		return nil, nil
	}
	raw := &source{Reader: h.response.Body, hop: h}
	decoded, err := h.decoded(raw)
	if err != nil {
		return nil, raw.blame(err)
	}
	if failing := h.Response.Status >= http.StatusBadRequest; failing || m.KeepBody {
		var head prefix
		decoded = io.TeeReader(decoded, &head)
		defer func() {
			if failing {
				h.readUpstream(head)
			}
			if h.Response.Status >= http.StatusInternalServerError {
				h.Response.Marks = result.MarksOf(head)
			}
			if m.KeepBody {
				h.Response.Body = head
			}
		}()
	}
	var kept *checkedBody
	if m.ChecksBody() || h.attempt.take != nil {
		kept = &checkedBody{hop: h}
		defer kept.stop()
	}
	h.Response.BodyBytes, err = h.drain(decoded, kept)
	if err != nil {
		if errors.Is(err, errBodyTooLarge) {
			return nil, tooLarge(m)
		}
		if err = kept.failed(err); errors.Is(err, errNotMatched) {
			return nil, err
		}
		return nil, raw.blame(err)
	}
	h.Response.Complete = true
	if kept == nil {
		return nil, nil
	}
	return kept.Bytes(), kept.end()
}

// tooLarge says which limit a body exceeds, and how it is changed.
func tooLarge(m *module.Module) error {
	if m.HasCEL() {
		return fmt.Errorf("%w of %d bytes (fail_if_body_json_* need the body in memory: their default is %d and their "+
			"maximum %d bytes)", errBodyTooLarge, m.BodySizeLimit, module.DefaultJSONLimit, module.MaxJSONLimit)
	}
	return fmt.Errorf("%w of %d bytes", errBodyTooLarge, m.BodySizeLimit)
}

// readUpstream notes what the answer states about a gateway's upstream: by its head, and by the beginning of its body
// once that is read.
func (h *hop) readUpstream(body []byte) {
	h.Upstream = upstream.Of(upstream.Answer{Status: h.Response.Status, StatusText: h.Response.StatusText,
		Header: h.Response.Header, Body: body})
}

// blame returns the error to classify: the connection's, or else the decoder's.
func (s *source) blame(err error) error {
	if err == os.ErrDeadlineExceeded {
		return err
	}
	if s.err != nil && s.err != io.EOF {
		return s.err
	}
	return &classify.DecodeError{Err: err}
}

// drain reads to the end, keeping what it reads if keep is not nil, and counts. It ends with our deadline also where
// much is made of little: what is decompressed may long be here.
func (h *hop) drain(from io.Reader, keep *checkedBody) (int64, error) {
	p, limit := h.attempt.prober, h.attempt.module.BodySizeLimit
	buffer := p.buffers.Get().(*[]byte)
	defer p.buffers.Put(buffer)
	var total int64
	for {
		n, err := from.Read(*buffer)
		total += int64(n)
		if limit > 0 && total > limit {
			return limit, errBodyTooLarge
		}
		if short := keep.add((*buffer)[:n]); short != nil {
			return total, short
		}
		if err == io.EOF {
			return total, nil
		}
		if err == nil && h.attempt.ctx.Err() != nil {
			if h.socket != nil {
				h.socket.GiveUp()
			}
			err = os.ErrDeadlineExceeded
		}
		if err != nil {
			return total, err
		}
	}
}

// decoded is the body without the compression that is expected. What is compressed is compared with what comes of it.
func (h *hop) decoded(raw *source) (io.Reader, error) {
	compression, wanted := h.compression()
	if compression == "" {
		return raw, nil
	}
	packed := h.floods().Budget("compressed bytes", freeInflate, 1)
	raw.Reader = &watched{raw.Reader, packed}
	var first [1]byte
	switch _, err := io.ReadFull(raw, first[:]); {
	case err == io.EOF && wanted:
		return nil, fmt.Errorf("it is empty, wanted %s", compression)
	case err == io.EOF:
		return raw, nil
	case err != nil:
		return nil, err
	}
	raw.Reader = io.MultiReader(bytes.NewReader(first[:]), raw.Reader)
	if compression == "br" {
		if err := h.forWindow(first[0]); err != nil {
			return nil, err
		}
	}
	plain, err := decoder(compression, raw)
	return &unpacked{plain, packed}, err
}

// compression is what the body is decompressed by, and whether there has to be a body. The module's key demands both,
// but not of a response that has no body by definition (RFC 9110 section 6.4.1). A status that the module refuses is
// the failure, whatever the error page looks like: its own head says how it is compressed.
func (h *hop) compression() (name string, wanted bool) {
	name = h.attempt.module.Compression
	switch status := h.Response.Status; {
	case name == "identity", h.request.Method == http.MethodHead, status == http.StatusNoContent,
		status == http.StatusNotModified, status == http.StatusSwitchingProtocols:
		return "", false
	case name != "" && h.checkStatus() != nil:
		if !strings.EqualFold(h.Response.Header.Get("Content-Encoding"), name) {
			return "", false
		}
		return name, false
	}
	return name, name != ""
}

// unpacked is a decompressed body.
type unpacked struct {
	io.Reader
	packed *flood.Budget // of the bytes that it is made of
}

func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	if flood := u.packed.Charge(0, int64(n)*inflateGain); flood != nil {
		return 0, flood
	}
	return n, err
}

// decoder undoes a compression.
func decoder(compression string, from io.Reader) (io.Reader, error) {
	switch compression {
	case "gzip":
		return gzip.NewReader(from)
	case "deflate":
		return flate.NewReader(from), nil
	case "br":
		return brotli.NewReader(from), nil
	default:
		return from, nil
	}
}
