package socket

import (
	"errors"
	"io"
	"syscall"
	"testing"

	"errno_exporter/prober/result"
)

// What had arrived before a reset that a write found is read after the close, and then the reset.
func TestUnreadAfterReset(t *testing.T) {
	r, peer := connection(t)
	const response = "HTTP/1.1 413 Content Too Large\r\n\r\n"
	if _, err := io.WriteString(peer, response); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(peer.SetLinger(0), peer.Close()); err != nil {
		t.Fatal(err)
	}
	var err error
	for err == nil { // until the reset has arrived
		_, err = r.Write(make([]byte, 1<<10))
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	got, failed := io.ReadAll(r)
	if string(got) != response || !errors.Is(failed, syscall.ECONNRESET) {
		t.Errorf("read %q, %v, want %q and the reset", got, failed, response)
	}
	if w := r.Wire(); w.Cause == nil || w.Cause.Op != result.OpWrite || w.BytesReceived != int64(len(response)) ||
		w.InfoAt != "failure" {
		t.Errorf("%+v, want the write as the cause, %d bytes received, TCP_INFO of the failure", w, len(response))
	}
}
