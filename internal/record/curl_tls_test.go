package record

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
)

// exchange is what a server sees of a client.
type exchange struct {
	Method, Proto, Host, ServerName, Offered, Certificate string
	Version                                               uint16
	Header                                                http.Header
	Body                                                  string
}

// The command, run by a real curl, makes the connection and the request that the probe made: authorities, client
// certificate, server name, offer of protocols, version of TLS, Host, header with its trace, and body.
func TestCurlRepeatsTheProbe(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not there")
	}
	files := curlFiles(t)
	certificate, err := tls.LoadX509KeyPair(files.Certificate, files.Key)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name   string
		change func(*module.Module)
	}{
		{"HTTP/2, one's own authority", func(*module.Module) {}},
		{"HTTP/1.1", func(m *module.Module) { m.EnableHTTP2, m.TLS.NextProtos = false, []string{"http/1.1"} }},
		{"another server name", func(m *module.Module) { m.TLS.ServerName = "api.lab.test" }},
		{"another Host", func(m *module.Module) { m.Host = "lab.test" }},
		{"TLS 1.2 only", func(m *module.Module) { m.TLS.MaxVersion = tls.VersionTLS12 }},
		{"not verified", func(m *module.Module) {
			m.TLS.InsecureSkipVerify, m.TLS.RootCAs, m.Handshake.CA = true, nil, ""
		}},
		{"a client certificate", func(m *module.Module) {
			m.TLS.Certificates = []tls.Certificate{certificate}
			m.Handshake.Certificate, m.Handshake.Key = files.Certificate, files.Key
		}},
		{"POST with a body", func(m *module.Module) {
			m.Method, m.Body = http.MethodPost, []byte("[1-2]\n{a,b}")
			m.BodyFile = filepath.Join(filepath.Dir(files.CA), "body")
			m.Header.Set("Content-Type", "text/plain")
		}},
	} {
		address, seen := mirror(t)
		m := module.New("m")
		m.Trace, m.PreferIPv6, m.TLS.RootCAs, m.Handshake.CA = true, false, faultlab.Roots(), files.CA
		row.change(m)
		target, err := prober.ParseTarget(strings.Replace(address, "127.0.0.1", "localhost", 1) + "/?q=[a]{b}")
		if err != nil {
			t.Fatal(err)
		}
		r := prober.New(prober.Options{UserAgent: "probe/1"}).Probe(t.Context(), target, m)
		if r.Failure != nil {
			t.Fatalf("%s: %v", row.name, r.Failure.Err)
		}
		r.Timeout = 30 * time.Second
		want := <-seen
		command := Curl(&r, r.Last().LastHop(), m.Shown())
		if out, err := exec.CommandContext(t.Context(), "sh", "-c", command).CombinedOutput(); err != nil {
			t.Errorf("%s: %s: %v\n%s", row.name, command, err, out)
			continue
		}
		got := <-seen
		want.Header.Del(prober.ProbeHeader)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s (-probe +curl):\n%s", row.name, command, diff)
		}
	}
}

// mirror is a server that reports what it sees of each request.
func mirror(t *testing.T) (address string, seen chan exchange) {
	t.Helper()
	seen = make(chan exchange, 10)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		e := exchange{Method: r.Method, Proto: r.Proto, Host: r.Host, ServerName: r.TLS.ServerName,
			Offered: r.TLS.NegotiatedProtocol, Version: r.TLS.Version, Header: r.Header, Body: string(body)}
		if chain := r.TLS.PeerCertificates; len(chain) > 0 { // curl may send its issuer, too
			e.Certificate = chain[0].SerialNumber.String()
		}
		e.Header.Del("Connection") // the probe says that it will not use the connection again
		seen <- e
	}))
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{Certificates: []tls.Certificate{faultlab.ServerCertificate()},
		ClientAuth: tls.RequestClientCert, NextProtos: []string{"h2", "http/1.1"}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL, seen
}

// curlFiles are the lab's authority, a client certificate with its key, and beside them a body.
func curlFiles(t *testing.T) module.Handshake {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	client := faultlab.ClientCertificate()
	key, err := x509.MarshalPKCS8PrivateKey(client.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write("body", []byte("[1-2]\n{a,b}"))
	return module.Handshake{
		CA:          write("ca.pem", faultlab.RootsPEM()),
		Certificate: write("client.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: client.Certificate[0]})),
		Key:         write("client.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})),
	}
}
