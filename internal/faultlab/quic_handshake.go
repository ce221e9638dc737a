package faultlab

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/tls"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
)

// Servers whose handshakes do not come to an end: enormous, repeated or cut.

// hugeChain is a good certificate with so many others behind it that all have more bytes than any client takes: 256 KiB
// over TCP, by crypto/tls.
func hugeChain() tls.Certificate {
	c := ChainCertificate(time.Now().Add(time.Hour))
	for size := 0; size <= 256<<10; size += len(c.Certificate[1]) {
		c.Certificate = append(c.Certificate, c.Certificate[1])
	}
	return c
}

// TLSHugeChain shows the chain over TCP.
func TLSHugeChain(h Host) string {
	h.Helper()
	return overTLS(h, func(config *tls.Config) { config.Certificates = []tls.Certificate{hugeChain()} }, obliging)
}

// HTTP3HugeChain shows it over QUIC.
func HTTP3HugeChain(h Host) string {
	h.Helper()
	config := &tls.Config{Certificates: []tls.Certificate{hugeChain()}, NextProtos: []string{"h3"}}
	return serveHTTP3(h, config, Healthy)
}

// QUICCutInHandshake sends the first datagram of its handshake and no other one.
func QUICCutInHandshake(h Host) string {
	h.Helper()
	socket := newUDPSocket(h)
	socket.allowed.Store(1)
	serveTransport(h, &quic.Transport{Conn: socket}, nil, func(*quicStream) {})
	return socket.url()
}

// QUICRetries answers every datagram of a connection with a Retry packet (RFC 9000 section 17.2.5).
func QUICRetries(h Host) string {
	h.Helper()
	return answering(h, func(packet []byte) []byte {
		ids, ok := connectionIDs(packet)
		if !ok {
			return nil
		}
		original := packet[5 : 6+packet[5]] // with its length
		retry := append([]byte{0xf0, 0, 0, 0, 1}, ids[:1+ids[0]]...)
		retry = append(retry, 8, 'n', 'e', 'w', '-', 'i', 'd', '-', '-', 't', 'o', 'k', 'e', 'n')
		return append(retry, retryTag(original, retry)...)
	})
}

// QUICOtherVersions answers every datagram with a Version Negotiation packet that offers version 2 (RFC 9369), whatever
// version it has.
func QUICOtherVersions(h Host) string {
	h.Helper()
	return answering(h, func(packet []byte) []byte {
		ids, ok := connectionIDs(packet)
		if !ok {
			return nil
		}
		return append(append([]byte{0x80, 0, 0, 0, 0}, ids...), 0x6b, 0x33, 0x43, 0xcf)
	})
}

// answering answers each datagram with another one; nil is none.
func answering(h Host, answer func([]byte) []byte) string {
	h.Helper()
	socket := newUDPSocket(h)
	var serving sync.WaitGroup
	serving.Go(func() {
		packet := make([]byte, 2048)
		for {
			n, from, err := socket.PacketConn.ReadFrom(packet)
			if err != nil {
				return
			}
			if a := answer(packet[:n]); a != nil {
				_, _ = socket.WriteTo(a, from)
			}
		}
	})
	h.Cleanup(func() { _ = socket.Close(); serving.Wait() })
	return socket.url()
}

// retryTag is a Retry packet's integrity tag (RFC 9001 section 5.8), of version 1.
func retryTag(original, retry []byte) []byte {
	block, err := aes.NewCipher([]byte("\xbe\x0c\x69\x0b\x9f\x66\x57\x5a\x1d\x76\x6b\x54\xe3\x68\xc8\x4e"))
	if err != nil {
		panic(err) // the key has 16 bytes
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has blocks of 16 bytes
	}
	nonce := []byte("\x46\x15\x99\xd3\x5d\x63\x2b\xf2\x23\x98\x25\xbb")
	return aead.Seal(nil, nonce, nil, append(append([]byte{}, original...), retry...))
}
