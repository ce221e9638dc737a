package faultlab_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"
	"time"
)

// What a client can observe of a server: the bytes that it sends, and how that ends.

// Ends of a conversation.
const (
	closed  = "FIN"
	aborted = "RST"
	refused = "refused" // by RST to the SYN, or ICMP port unreachable
	silence = "silence" // nothing more within the patience
)

// patience is how long silence must last; ample is longer than anything that is not silence.
const (
	patience = 150 * time.Millisecond
	ample    = 10 * time.Second
)

// seen is what a client observed.
type seen struct {
	Bytes string
	End   string
}

// end names the error that ended a conversation.
func end(err error) string {
	switch {
	case errors.Is(err, io.EOF):
		return closed
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return aborted
	case errors.Is(err, syscall.ECONNREFUSED):
		return refused
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded): // the latter from a dial
		return silence
	}
	if name, ok := errors.AsType[x509.HostnameError](err); ok {
		return "certificate is not for " + name.Host
	}
	if bad, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return fmt.Sprintf("certificate invalid, reason %d", bad.Reason)
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "certificate of an unknown authority"
	}
	if bad, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return fmt.Sprintf("not TLS: %q", bad.RecordHeader[:])
	}
	return err.Error()
}

// hostPort is the address in a server's URL.
func hostPort(t *testing.T, target string) string {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatalf("Parse(%q): %v", target, err)
	}
	return u.Host
}

// wait returns how long a conversation may last which should end as wanted.
func wait(want string) time.Duration {
	if want == silence {
		return patience
	}
	return ample
}

// converse sends bytes to a server and reads to the end.
func converse(t *testing.T, target, send string, within time.Duration) seen {
	t.Helper()
	conn, err := net.DialTimeout("tcp", hostPort(t, target), within)
	if err != nil {
		return seen{End: end(err)}
	}
	defer conn.Close()
	return talk(t, conn, send, within)
}

func talk(t *testing.T, conn net.Conn, send string, within time.Duration) seen {
	t.Helper()
	if err := conn.SetDeadline(time.Now().Add(within)); err != nil {
		t.Fatal(err)
	}
	_, failed := io.WriteString(conn, send)
	bytes, err := io.ReadAll(conn)
	switch {
	case failed != nil: // the kernel tells of a RST once only
		err = failed
	case err == nil:
		err = io.EOF
	}
	return seen{Bytes: string(bytes), End: end(err)}
}
