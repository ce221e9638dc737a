package accuracy

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// The keys of QUIC version 1 with TLS_AES_128_GCM_SHA256 (RFC 9001 section 5), by which a capture is read.

// quicSalt makes the keys of the first packets from the connection ID that the client chose (RFC 9001 section 5.2).
var quicSalt = []byte{0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad,
	0xcc, 0xbb, 0x7f, 0x0a}

// quicKeys are the keys of one direction's packets of one level.
type quicKeys struct {
	packet cipher.AEAD
	header cipher.Block
	iv     []byte
}

func newQUICKeys(secret []byte) (*quicKeys, error) {
	key, err := expandLabel(secret, "quic key", 16)
	if err != nil {
		return nil, err
	}
	iv, err := expandLabel(secret, "quic iv", 12)
	if err != nil {
		return nil, err
	}
	mask, err := expandLabel(secret, "quic hp", 16)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	header, err := aes.NewCipher(mask)
	return &quicKeys{aead, header, iv}, err
}

// initialKeys are those of the first packets, of the client's and of the server's.
func initialKeys(id []byte) (keys [2]*quicKeys, err error) {
	secret, err := hkdf.Extract(sha256.New, id, quicSalt)
	for side, label := range []string{"client in", "server in"} {
		var own []byte
		if err == nil {
			own, err = expandLabel(secret, label, sha256.Size)
		}
		if err == nil {
			keys[side], err = newQUICKeys(own)
		}
	}
	return keys, err
}

// expandLabel is HKDF-Expand-Label without a context (RFC 8446 section 7.1).
func expandLabel(secret []byte, label string, n int) ([]byte, error) {
	info := binary.BigEndian.AppendUint16(nil, uint16(n))
	info = append(info, byte(len("tls13 ")+len(label)))
	return hkdf.Expand(sha256.New, secret, string(info)+"tls13 "+label+"\x00", n)
}

// open decrypts a packet whose number begins at a byte. It returns the frames.
func (k *quicKeys) open(packet []byte, at int) ([]byte, bool) {
	if k == nil || len(packet) < at+20 {
		return nil, false
	}
	p, mask := bytes.Clone(packet), make([]byte, aes.BlockSize)
	k.header.Encrypt(mask, p[at+4:at+20])
	if p[0]&0x80 != 0 {
		p[0] ^= mask[0] & 0x0f
	} else {
		p[0] ^= mask[0] & 0x1f
	}
	size := int(p[0]&3) + 1
	nonce := bytes.Clone(k.iv)
	for i := range size {
		p[at+i] ^= mask[1+i]
		nonce[len(nonce)-size+i] ^= p[at+i] // few packets: all of the number is there
	}
	frames, err := k.packet.Open(nil, nonce, p[at+size:], p[:at+size])
	return frames, err == nil
}

// The secrets of a connection, by level and side.
const (
	handshakeSecrets = "HANDSHAKE_TRAFFIC_SECRET"
	trafficSecrets   = "TRAFFIC_SECRET_0"
)

// secretsOf reads a key log: secrets by their label and the client's random.
func secretsOf(log []byte) map[string][]byte {
	all := map[string][]byte{}
	lines := bufio.NewScanner(bytes.NewReader(log))
	for lines.Scan() {
		if f := strings.Fields(lines.Text()); len(f) == 3 {
			all[f[0]+f[1]], _ = hex.DecodeString(f[2])
		}
	}
	return all
}
