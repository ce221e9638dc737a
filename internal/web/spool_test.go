package web

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"errno_exporter/config"
	"errno_exporter/internal/claims"
	"errno_exporter/internal/watch"
	"errno_exporter/prober"
)

// Answers that nobody takes: those that have waited longest are cut off, and memory stays within the budget. Who reads,
// gets the whole.
func TestUnreadAnswers(t *testing.T) {
	const size, clients, fit = 8 << 20, 60, 4
	const budget = fit * (size + spooledBase)
	answers := newSpools(budget)
	answer := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	server := httptest.NewUnstartedServer(answers.buffered(func(w http.ResponseWriter, _ *http.Request) {
		for from := 0; from < size; from += 100_000 {
			_, _ = w.Write(answer[from:min(size, from+100_000)]) // memory takes everything
		}
	}))
	cutOff := make(chan struct{}, clients+1)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			cutOff <- struct{}{}
		}
	}
	server.Start()
	before := heap()
	for range clients {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10) // so that little of the answer leaves the server
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, 100)); err != nil {
			t.Fatalf("the answer did not begin: %v", err)
		}
	}
	for range clients - fit {
		<-cutOff
	}
	if grown := heap() - before; grown > budget*3/2 {
		t.Errorf("%d unread answers take %d bytes, want at most %d", clients, grown, budget*3/2)
	}
	answers.mu.Lock()
	held, waiting := answers.bytes, answers.waiting.Len()
	answers.mu.Unlock()
	if held > budget || waiting != fit {
		t.Errorf("%d bytes of %d answers are held, want at most %d of %d", held, waiting, budget, fit)
	}
	response, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || !bytes.Equal(body, answer) ||
		response.ContentLength != size {
		t.Errorf("who reads gets %d bytes, announced %d, %v, want %d", len(body), response.ContentLength, err, size)
	}
	server.CloseClientConnections()
	server.Close()
	for deadline := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		answers.mu.Lock()
		held, waiting = answers.bytes, answers.waiting.Len()
		answers.mu.Unlock()
		if held == 0 && waiting == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d bytes of %d answers are held after all connections have ended", held, waiting)
		}
	}
	claims.Prove(t, "answers that nobody takes", maxSpooled)
}

// As many answers to scrapes are made at a time as there are CPUs. The next one is made when one of them is ready.
func TestLargeAnswersTakeTurns(t *testing.T) {
	answers := newSpools(maxSpooled)
	if room := cap(answers.making); room != runtime.GOMAXPROCS(0) {
		t.Errorf("%d answers are made at a time, want one for each of %d CPUs", room, runtime.GOMAXPROCS(0))
	}
	registry := prometheus.NewRegistry()
	watching := watch.New(watch.Options{Prober: prober.New(prober.Options{}), Remember: 1, Registry: registry})
	t.Cleanup(watching.Close)
	e := &Endpoints{Probe: &ProbeHandler{Watch: watching}, Registry: registry}
	for range cap(answers.making) {
		answers.making <- struct{}{}
	}
	late, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	w := httptest.NewRecorder()
	e.scrape(w, httptest.NewRequestWithContext(late, http.MethodGet, "/metrics", nil), answers)
	if w.Body.Len() != 0 {
		t.Errorf("%d answers are being made, and one more was: %q", cap(answers.making), w.Body)
	}
	<-answers.making
	w = httptest.NewRecorder()
	e.scrape(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil), answers)
	if w.Code != http.StatusOK || len(answers.making) != cap(answers.making)-1 {
		t.Errorf("with room for it: %d, %d answers are being made; want 200, and its room given back", w.Code,
			len(answers.making))
	}
	claims.Prove(t, "large answers made at a time")
}

// What a handler sets is what arrives.
func TestSpool(t *testing.T) {
	answers := newSpools(maxSpooled)
	for _, row := range []struct {
		name    string
		handler http.HandlerFunc
		status  int
		body    string
	}{
		{"nothing", func(http.ResponseWriter, *http.Request) {}, 200, ""},
		{"a status", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }, 418, ""},
		{"an error", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusBadRequest) }, 400,
			"no\n"},
		{"text", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "text") }, 200, "text"},
		{"a whole piece", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, spoolPiece)) },
			200, strings.Repeat("\x00", spoolPiece)},
		{"no content", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, 204, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			answers.buffered(row.handler)(w, httptest.NewRequest(http.MethodGet, "/", nil))
			if w.Code != row.status || w.Body.String() != row.body {
				t.Errorf("%d, %d bytes; want %d, %d bytes", w.Code, w.Body.Len(), row.status, len(row.body))
			}
		})
	}
}

// heap is the heap that is in use after a collection.
func heap() int64 {
	runtime.GC()
	runtime.GC() // pools let go of what they have at the second one
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// An answer of /probe with debug=true waits to be taken as others do, in their budget. Samples are sent at once.
func TestDebugIsSpooled(t *testing.T) {
	c, err := config.Parse([]byte("modules: {api: {prober: http}}"), "test", ".")
	if err != nil {
		t.Fatal(err)
	}
	h := &ProbeHandler{Config: config.NewCurrent(c)}
	for _, row := range []struct {
		query   string
		spooled bool
	}{
		{"debug=true", true}, {"module=nosuch&debug=true", true}, {"", false}, {"debug=false", false},
		{"module=debug", false}, {"debug=", false},
	} {
		answers := newSpools(maxSpooled)
		client := &slowClient{ResponseRecorder: httptest.NewRecorder(), began: make(chan struct{}),
			takes: make(chan struct{})}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			h.detailed(answers).ServeHTTP(client, httptest.NewRequest(http.MethodGet, "/probe?"+row.query, nil))
		}()
		<-client.began
		answers.mu.Lock()
		held := answers.bytes
		answers.mu.Unlock()
		if held > 0 != row.spooled {
			t.Errorf("%q: %d bytes of answers wait, want some: %t", row.query, held, row.spooled)
		}
		close(client.takes)
		<-ended
		if client.Code != http.StatusBadRequest || client.Body.Len() == 0 {
			t.Errorf("%q: %d %q, want 400 and why", row.query, client.Code, client.Body)
		}
	}
}

// slowClient takes an answer when it is told to.
type slowClient struct {
	*httptest.ResponseRecorder
	began, takes chan struct{}
}

func (c *slowClient) Write(p []byte) (int, error) {
	close(c.began) // the answers are short: they are one write
	<-c.takes
	return c.ResponseRecorder.Write(p)
}
