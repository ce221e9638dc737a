package faultlab

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// sealer makes a server's TLS 1.3 records by hand, from the handshake on (RFC 8446 section 5.2): crypto/tls makes
// none that it does not need.
type sealer struct {
	secret   []byte // server_application_traffic_secret_N
	aead     cipher.AEAD
	iv       []byte
	sequence uint64
}

// Content types of records, and two messages of a handshake.
const (
	tlsAlert     = 21
	tlsHandshake = 22
	tlsData      = 23

	// keyUpdate asks for no update in return (RFC 8446 section 4.6.3).
	keyUpdate = "\x18\x00\x00\x01\x00"
	// newTicket is a NewSessionTicket (section 4.6.1): lifetime, age, nonce, a ticket of one byte, no extensions.
	newTicket = "\x04\x00\x00\x0f\x00\x00\x0e\x10\x00\x00\x00\x00\x01\x00\x00\x01t\x00\x00"
)

// use begins with a traffic secret.
func (s *sealer) use(secret []byte) {
	s.secret, s.sequence = secret, 0
	block, err := aes.NewCipher(expandLabel(secret, "key", 16))
	if err != nil {
		panic(err) // the key has 16 bytes
	}
	if s.aead, err = cipher.NewGCM(block); err != nil {
		panic(err) // AES has blocks of 16 bytes
	}
	s.iv = expandLabel(secret, "iv", s.aead.NonceSize())
}

// expandLabel is HKDF-Expand-Label without a context (section 7.1).
func expandLabel(secret []byte, label string, length int) []byte {
	label = "tls13 " + label
	info := string([]byte{byte(length >> 8), byte(length), byte(len(label))}) + label + "\x00"
	key, err := hkdf.Expand(sha256.New, secret, info, length)
	if err != nil {
		panic(err) // only for lengths of kilobytes
	}
	return key
}

// seal is a record with content of a type.
func (s *sealer) seal(kind byte, content string) string {
	nonce := append([]byte{}, s.iv...)
	counter := binary.BigEndian.AppendUint64(nil, s.sequence)
	for i, b := range counter {
		nonce[len(nonce)-8+i] ^= b
	}
	s.sequence++
	plain := append([]byte(content), kind)
	length := len(plain) + s.aead.Overhead()
	head := []byte{tlsData, 3, 3, byte(length >> 8), byte(length)}
	record := string(s.aead.Seal(head, nonce, plain, head))
	if content == keyUpdate {
		s.use(expandLabel(s.secret, "traffic upd", sha256.Size))
	}
	return record
}

// secrets keeps what crypto/tls logs (SSLKEYLOGFILE): the server's traffic secret, or the master secret of TLS 1.2.
type secrets struct {
	mu             sync.Mutex // guards what follows
	server         []byte
	master, client []byte // the latter is the client's random
}

func (k *secrets) Write(line []byte) (int, error) {
	fields := strings.Fields(string(line))
	if len(fields) != 3 {
		return len(line), nil
	}
	first, _ := hex.DecodeString(fields[1]) // crypto/tls writes nothing else
	second, _ := hex.DecodeString(fields[2])
	k.mu.Lock()
	defer k.mu.Unlock()
	switch fields[0] {
	case "SERVER_TRAFFIC_SECRET_0":
		k.server = second
	case "CLIENT_RANDOM":
		k.client, k.master = first, second
	}
	return len(line), nil
}

func (k *secrets) get12() (master, client []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.master, k.client
}

func (k *secrets) get() []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.server
}

// floodOfRecords answers a request with a head and half of a body, and then sends the records that more makes,
// without end.
func floodOfRecords(h Host, more func(*sealer) string) string {
	h.Helper()
	return recordsAfter(h, "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n"+some, 0, more)
}

// recordsAfter answers a request with bytes, and after a time it sends the records that more makes, without end.
func recordsAfter(h Host, answer string, after time.Duration, more func(*sealer) string) string {
	h.Helper()
	return "https://" + serveTCP(h, func(raw *net.TCPConn) {
		var keys secrets
		config := secured("http/1.1")
		config.MinVersion, config.SessionTicketsDisabled, config.KeyLogWriter = tls.VersionTLS13, true, &keys
		conn := tls.Server(raw, config)
		if conn.Handshake() != nil || conn.ConnectionState().CipherSuite != tls.TLS_AES_128_GCM_SHA256 ||
			!readRequest(conn) {
			return
		}
		var s sealer
		s.use(keys.get())
		_, err := io.WriteString(raw, s.seal(tlsData, answer))
		if after > 0 {
			pause(after)
		}
		for err == nil {
			var records strings.Builder
			for records.Len() < batch {
				records.WriteString(more(&s))
			}
			_, err = io.WriteString(raw, records.String())
		}
	}) + "/"
}

// FloodOfTickets sends session tickets, and a byte of the body after every fourteen.
func FloodOfTickets(h Host) string {
	h.Helper()
	return floodOfRecords(h, func(s *sealer) string { return among(s, tlsHandshake, newTicket) })
}

// FloodOfKeyUpdates changes its key, and sends a byte of the body after every fourteen times.
func FloodOfKeyUpdates(h Host) string {
	h.Helper()
	return floodOfRecords(h, func(s *sealer) string { return among(s, tlsHandshake, keyUpdate) })
}

// FloodOfEmptyRecords sends records without content, and a byte of the body after every fourteen.
func FloodOfEmptyRecords(h Host) string {
	h.Helper()
	return floodOfRecords(h, func(s *sealer) string { return among(s, tlsData, "") })
}

// FloodOfTinyRecords sends a body, one byte a record.
func FloodOfTinyRecords(h Host) string {
	h.Helper()
	return floodOfRecords(h, func(s *sealer) string { return s.seal(tlsData, "x") })
}

// TicketsInARow sends session tickets and nothing else.
func TicketsInARow(h Host) string {
	h.Helper()
	return floodOfRecords(h, func(s *sealer) string { return s.seal(tlsHandshake, newTicket) })
}

// IdleFloodOfTickets answers a request with 200, and after a time it sends session tickets without end.
func IdleFloodOfTickets(h Host, after time.Duration) string {
	h.Helper()
	return recordsAfter(h, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", after,
		func(s *sealer) string { return s.seal(tlsHandshake, newTicket) })
}

// EmptyRecordsInARow sends records without content and nothing else.
func EmptyRecordsInARow(h Host) string {
	h.Helper()
	return floodOfRecords(h, func(s *sealer) string { return s.seal(tlsData, "") })
}

// among is fourteen records of a kind, and one with a byte of data: crypto/tls counts sixteen in a row.
func among(s *sealer, kind byte, content string) string {
	var records strings.Builder
	for range 14 {
		records.WriteString(s.seal(kind, content))
	}
	records.WriteString(s.seal(tlsData, "x"))
	return records.String()
}

// FloodOfWarnings answers the ClientHello with warnings in clear (RFC 5246 section 7.2), which do not end a
// handshake.
func FloodOfWarnings(h Host) string {
	h.Helper()
	return afterHello(h, "", func(conn *net.TCPConn) { pour(conn, "", repeated("\x15\x03\x03\x00\x02\x01\x5a")) })
}

// FloodOfHelloRequests answers the ClientHello with HelloRequests (RFC 5246 section 7.4.1.1) in clear.
func FloodOfHelloRequests(h Host) string {
	h.Helper()
	return afterHello(h, "", func(conn *net.TCPConn) {
		pour(conn, "",
			repeated("\x16\x03\x03\x00\x04\x00\x00\x00\x00"))
	})
}

// SmallRecords answers over TLS with a body of n bytes in records of a size, many of them to a segment.
func SmallRecords(h Host, n, size int) string {
	h.Helper()
	return overTLS(h, unchanged, func(conn *tls.Conn, _ *net.TCPConn) {
		if !readRequest(conn) {
			return
		}
		_, err := io.WriteString(conn, headClose)
		piece := strings.Repeat("x", size)
		for left := n; err == nil && left > 0; left -= size {
			_, err = io.WriteString(conn, piece)
		}
		_ = conn.CloseWrite()
		waitGone(conn)
	})
}
