package faultlab

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"strings"
)

// sealer12 makes a server's TLS 1.2 records by hand, from the handshake on (RFC 5288 section 3): crypto/tls sends
// neither HelloRequests nor warnings nor empty records.
type sealer12 struct {
	aead     cipher.AEAD
	salt     []byte // the nonce's first four bytes
	sequence uint64
}

// newSealer12 begins behind the server's Finished, which was the first record that it encrypted. The randoms are the
// server's and the client's.
func newSealer12(master, randoms []byte) *sealer12 {
	keys := prf12(master, append([]byte("key expansion"), randoms...), 2*16+2*4)
	block, err := aes.NewCipher(keys[16:32]) // behind the client's
	if err != nil {
		panic(err) // the key has 16 bytes
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has blocks of 16 bytes
	}
	return &sealer12{aead: aead, salt: keys[36:40], sequence: 1}
}

// prf12 is TLS 1.2's pseudorandom function with SHA-256 (RFC 5246 section 5).
func prf12(secret, seed []byte, length int) []byte {
	sum := func(parts ...[]byte) []byte {
		h := hmac.New(sha256.New, secret)
		h.Write(bytes.Join(parts, nil))
		return h.Sum(nil)
	}
	var out []byte
	for a := sum(seed); len(out) < length; a = sum(a) {
		out = append(out, sum(a, seed)...)
	}
	return out[:length]
}

// seal is a record with content of a type.
func (s *sealer12) seal(kind byte, content string) string {
	explicit := binary.BigEndian.AppendUint64(nil, s.sequence)
	s.sequence++
	length := len(content)
	additional := append(explicit[:8:8], kind, 3, 3, byte(length>>8), byte(length))
	nonce := append(s.salt[:4:4], explicit...)
	length += len(explicit) + s.aead.Overhead()
	record := append([]byte{kind, 3, 3, byte(length >> 8), byte(length)}, explicit...)
	return string(s.aead.Seal(record, nonce, []byte(content), additional))
}

// recorded keeps the beginning of what a server sends.
type recorded struct {
	net.Conn
	first []byte
}

// serverRandom is where a ServerHello has it, behind the headers of the record and the message, and the version.
const (
	serverRandom    = 5 + 4 + 2
	serverRandomEnd = serverRandom + 32
)

func (r *recorded) Write(p []byte) (int, error) {
	if missing := serverRandomEnd - len(r.first); missing > 0 {
		r.first = append(r.first, p[:min(missing, len(p))]...)
	}
	return r.Conn.Write(p)
}

// FloodOfRecords12 answers a request over TLS 1.2 with a head and a byte of the body, and then sends, without end,
// fourteen records with content of a type, and one with a byte of the body: crypto/tls counts sixteen in a row.
func FloodOfRecords12(h Host, kind byte, content string) string {
	h.Helper()
	return records12(h, func(s *sealer12) string {
		var records strings.Builder
		for range 14 {
			records.WriteString(s.seal(kind, content))
		}
		return records.String() + s.seal(tlsData, "x")
	})
}

// RecordsInARow12 is FloodOfRecords12 without data between the records.
func RecordsInARow12(h Host, kind byte, content string) string {
	h.Helper()
	return records12(h, func(s *sealer12) string { return s.seal(kind, content) })
}

// Types of records, and their content where it does not end a connection.
const (
	RecordAlert     = tlsAlert
	RecordHandshake = tlsHandshake
	RecordData      = tlsData

	TLSWarning      = "\x01\x5a"         // user_canceled (RFC 5246 section 7.2)
	TLSHelloRequest = "\x00\x00\x00\x00" // section 7.4.1.1: the server wants to negotiate again
)

// records12 answers a request over TLS 1.2, and then sends the records that more makes without end.
func records12(h Host, more func(*sealer12) string) string {
	h.Helper()
	return "https://" + serveTCP(h, func(raw *net.TCPConn) {
		var keys secrets
		config := secured("http/1.1")
		config.MaxVersion, config.SessionTicketsDisabled, config.KeyLogWriter = tls.VersionTLS12, true, &keys
		config.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
		under := &recorded{Conn: raw}
		conn := tls.Server(under, config)
		if conn.Handshake() != nil || !readRequest(conn) {
			return
		}
		master, client := keys.get12()
		s := newSealer12(master, append(under.first[serverRandom:serverRandomEnd:serverRandomEnd], client...))
		_, err := io.WriteString(raw, s.seal(tlsData, "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\nx"))
		for err == nil {
			var records strings.Builder
			for records.Len() < batch {
				records.WriteString(more(s))
			}
			_, err = io.WriteString(raw, records.String())
		}
	}) + "/"
}
