package faultlab

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
)

// Servers, and devices before them, that refuse a ClientHello for one of its properties.

// HelloProperty is what is refused in a ClientHello.
type HelloProperty string

// The properties.
const (
	HelloLength      HelloProperty = "length"      // its record has more than 1,400 bytes
	HelloSegments    HelloProperty = "segments"    // it comes in more than one segment; segments have 1,400 bytes at most
	HelloMLKEM       HelloProperty = "ML-KEM"      // it offers X25519MLKEM768 (0x11ec)
	HelloName        HelloProperty = "name"        // its server name is RefusedName
	HelloAnyName     HelloProperty = "any name"    // it has a server name
	HelloALPN        HelloProperty = "ALPN"        // it has ALPN
	HelloTLS13       HelloProperty = "TLS 1.3"     // it offers TLS 1.3
	HelloFingerprint HelloProperty = "fingerprint" // its JA3 is the first one's: version, suites, extensions, groups
	HelloSuites      HelloProperty = "suites"      // its cipher suites are the first one's, in their order
)

// RefusedName is the server name that HelloName refuses. The lab's certificate is for it.
const RefusedName = "refused.lab.test"

// HelloFailure is how a ClientHello is refused.
type HelloFailure string

// The failures.
const (
	HelloReset   HelloFailure = "RST"
	HelloClosed  HelloFailure = "FIN"
	HelloSilence HelloFailure = "silence"
	HelloAlert   HelloFailure = "alert" // 40, handshake_failure
)

// Hello is a server that refuses some ClientHellos.
type Hello struct {
	Refused HelloProperty
	Failure HelloFailure
	// Device has the hello refused by a device on the path, which lets pass what it does not find in one segment.
	Device  bool
	Address string // that it listens on; 127.0.0.1:0 if empty
}

// RefusesHello reads a ClientHello, and refuses it or serves HTTPS. It returns the port.
func RefusesHello(h Host, hello Hello) (port string) {
	h.Helper()
	judge := hello.judge()
	address := serveOn(h, hello.listen(h), func(conn *net.TCPConn) {
		record, info := readHello(conn)
		if info == nil {
			return
		}
		several := hello.segments(conn) > 1
		if judge(seenHello{info, len(record), several}) && (!hello.Device || !several) {
			refuseHello(conn, hello.Failure)
			return
		}
		server := tls.Server(&replayed{Conn: conn, first: bytes.NewReader(record)}, secured("http/1.1"))
		if server.Handshake() == nil {
			obliging(server, conn)
		}
	})
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		h.Fatalf("faultlab: port of %q: %v", address, err)
	}
	return port
}

// listen listens where the hello is refused.
func (h *Hello) listen(host Host) *net.TCPListener {
	host.Helper()
	address := cmp.Or(h.Address, "127.0.0.1:0")
	if h.Refused == HelloSegments {
		return listenSegments(host, address)
	}
	return listen(host, "tcp", address)
}

// segments is in how many segments a hello came; one where nobody wants to know.
func (h *Hello) segments(conn *net.TCPConn) int {
	if h.Device || h.Refused == HelloSegments {
		return dataSegments(conn)
	}
	return 1
}

// seenHello is a ClientHello as it arrived.
type seenHello struct {
	*tls.ClientHelloInfo
	length  int  // of its record
	several bool // segments
}

// judge makes the function that decides which hellos are refused.
func (h *Hello) judge() func(seenHello) bool {
	like := func(print func(seenHello) string) func(seenHello) bool {
		var once sync.Once
		var first string
		return func(s seenHello) bool {
			once.Do(func() { first = print(s) })
			return print(s) == first
		}
	}
	switch h.Refused {
	case HelloLength:
		return func(s seenHello) bool { return s.length > segmentLength }
	case HelloSegments:
		return func(s seenHello) bool { return s.several }
	case HelloMLKEM:
		return func(s seenHello) bool { return slices.Contains(s.SupportedCurves, tls.X25519MLKEM768) }
	case HelloName:
		return func(s seenHello) bool { return s.ServerName == RefusedName }
	case HelloAnyName:
		return func(s seenHello) bool { return s.ServerName != "" }
	case HelloALPN:
		return func(s seenHello) bool { return len(s.SupportedProtos) > 0 }
	case HelloTLS13:
		return func(s seenHello) bool { return slices.Contains(s.SupportedVersions, tls.VersionTLS13) }
	case HelloFingerprint:
		return like(func(s seenHello) string {
			return fmt.Sprint(s.SupportedVersions, s.CipherSuites, s.Extensions, s.SupportedCurves, s.SupportedPoints)
		})
	case HelloSuites:
		return like(func(s seenHello) string { return fmt.Sprint(s.CipherSuites) })
	}
	return func(seenHello) bool { return false }
}

// refuseHello ends a connection, or leaves it without an answer.
func refuseHello(conn *net.TCPConn, how HelloFailure) {
	switch how {
	case HelloReset:
		reset(conn)
	case HelloClosed:
		fin(conn)
	case HelloAlert:
		_, _ = io.WriteString(conn, "\x15\x03\x03\x00\x02\x02\x28")
		fin(conn)
	case HelloSilence:
		hang(conn)
	}
}

// readHello reads a record and parses the ClientHello in it; there is none if it returns nil.
func readHello(conn net.Conn) ([]byte, *tls.ClientHelloInfo) {
	var record bytes.Buffer
	if !readRecord(&replayed{Conn: conn, first: io.TeeReader(conn, &record)}) {
		return nil, nil
	}
	var parsed *tls.ClientHelloInfo
	config := &tls.Config{GetConfigForClient: func(info *tls.ClientHelloInfo) (*tls.Config, error) {
		parsed = info
		return nil, errors.New("parsed")
	}}
	_ = tls.Server(mute{bytes.NewReader(record.Bytes()), conn}, config).Handshake() // it ends with the parsing
	return record.Bytes(), parsed
}

// replayed is a connection of which something is read first.
type replayed struct {
	net.Conn
	first io.Reader
}

func (r *replayed) Read(p []byte) (int, error) {
	n, err := r.first.Read(p)
	if errors.Is(err, io.EOF) {
		return r.Conn.Read(p)
	}
	return n, err
}

// mute reads from elsewhere, and writes nothing.
type mute struct {
	from io.Reader
	net.Conn
}

func (m mute) Read(p []byte) (int, error)  { return m.from.Read(p) }
func (m mute) Write(p []byte) (int, error) { return len(p), nil }
