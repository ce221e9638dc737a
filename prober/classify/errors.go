package classify

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"errno_exporter/prober/result"
)

// Refusal is a proxy's answer that is not a tunnel.
type Refusal struct {
	Reason   result.Reason
	Text     string
	Upstream *result.Upstream // what the answer states about the proxy's upstream; nil for nothing
}

func (e *Refusal) Error() string { return e.Text }

// FloodError says what a peer sent too much of.
type FloodError struct {
	Unit         string
	Count, Bytes int64
}

func (e *FloodError) Error() string {
	return fmt.Sprintf("flood: the peer sent %d %s, which brought %d useful bytes", e.Count, e.Unit, e.Bytes)
}

// ErrNotEncrypted says that a server answered a request without encryption with a TLS alert.
var ErrNotEncrypted = errors.New("the server answered with a TLS alert: it wants TLS, such as an https:// URL")

// DecodeError says that the body arrived and its content encoding is wrong.
type DecodeError struct{ Err error }

func (e *DecodeError) Error() string { return "decompress body: " + e.Err.Error() }

func (e *DecodeError) Unwrap() error { return e.Err }

// OurDoing reports whether an error comes from our own close or deadline.
func OurDoing(err error) bool {
	return errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, io.ErrClosedPipe)
}

// TooLarge is the error of a head that exceeds a bound of ours.
type TooLarge string

func (e TooLarge) Error() string { return string(e) }

// UnusableAnswer is the error of a name server's answer that cannot be used: it does not parse, or answers another
// question.
type UnusableAnswer string

func (e UnusableAnswer) Error() string { return string(e) }
