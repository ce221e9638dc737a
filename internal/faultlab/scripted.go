package faultlab

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"time"
)

// A Request is one that has arrived at a Scripted server, and been read with its body.
type Request struct {
	Method string
	Nth    int // of its connection, from 1
}

// A Reply is what a Scripted server does about one request.
type Reply int

const (
	Served  Reply = iota // 200, and the connection stays open
	Reset                // a RST
	Hung                 // nothing, ever
	Dripped              // 200, and then a byte of the body every 50 ms, forever
	Busy                 // 503 with a Retry-After of a second, and the connection stays open
	Shut                 // the same with an hour
)

func busyKept(after string) string {
	return "HTTP/1.1 503 Service Unavailable\r\nRetry-After: " + after + "\r\nContent-Length: 4\r\n\r\nbusy"
}

// Scripted serves HTTP/1.1 on persistent connections, and does about each request what the script says.
func Scripted(h Host, script func(Request) Reply) string {
	h.Helper()
	return "http://" + serveTCP(h, func(conn *net.TCPConn) {
		lines := bufio.NewReader(conn)
		for nth := 1; ; nth++ {
			request, err := http.ReadRequest(lines)
			if err != nil {
				return
			}
			if _, err := io.Copy(io.Discard, request.Body); err != nil {
				return
			}
			switch script(Request{Method: request.Method, Nth: nth}) {
			case Served:
				_, _ = io.WriteString(conn, okKept)
			case Busy:
				_, _ = io.WriteString(conn, busyKept("1"))
			case Shut:
				_, _ = io.WriteString(conn, busyKept("3600"))
			case Reset:
				reset(conn)
				return
			case Hung:
				hang(conn)
				return
			case Dripped:
				drip(conn)
				return
			}
		}
	}) + "/"
}

// drip sends a body slowly until the client closes.
func drip(conn net.Conn) {
	_, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
	for err == nil {
		pause(50 * time.Millisecond)
		_, err = io.WriteString(conn, ".")
	}
}
