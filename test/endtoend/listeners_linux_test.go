package endtoend

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
)

// secured writes a --web.config.file that wants TLS and the password hunter2 of oncall, and returns its path.
func secured(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	file := func(name string, content []byte) string { return write(t, dir, name, string(content)) }
	certificate, key := faultlab.PEM(faultlab.ServerCertificate())
	// The hash is bcrypt's with the cost 4.
	return file("web.yml", fmt.Appendf(nil, "tls_server_config: {cert_file: %q, key_file: %q}\n"+
		"basic_auth_users: {oncall: $2a$04$14RRjv6z/LPgzW11qDXuYuUVolgluUiG.q/.rZaZ7R8d5CNVVQ6yS}\n",
		file("cert.pem", certificate), file("key.pem", key)))
}

// activated runs a command as systemd's socket activation does: it inherits two listeners (sd_listen_fds(3)), whose
// addresses are returned.
func activated(t *testing.T) (run func(string, ...string) *exec.Cmd, addresses []string) {
	t.Helper()
	var files []*os.File
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		file, err := l.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = file.Close() })
		files, addresses = append(files, file), append(addresses, l.Addr().String())
	}
	return func(name string, args ...string) *exec.Cmd {
		command := exec.Command(name, args...)
		command.ExtraFiles = files // from descriptor 3 on
		return command
	}, addresses
}

// idle is how a client holds a connection without a request under way.
type idle struct {
	secure bool     // the listeners want TLS and a password
	alpn   []string // what it offers in a TLS handshake; none: it makes no handshake
	send   string
}

// noAnswer is when a connection that was not answered is given up: before the exporter's own timeouts (10 s for a head)
// make room.
const noAnswer = 8 * time.Second

// hold opens n connections, in turn to each address, and keeps them until the test ends.
func (k idle) hold(t *testing.T, addresses []string, n int) {
	t.Helper()
	var opening sync.WaitGroup
	for i := range n {
		conn, err := net.Dial("tcp", addresses[i%len(addresses)])
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(noAnswer))
		opening.Go(func() {
			if len(k.alpn) > 0 {
				conn = tls.Client(conn, &tls.Config{RootCAs: labRoots(), ServerName: "127.0.0.1", NextProtos: k.alpn})
			}
			if k.send != "" {
				_, _ = io.WriteString(conn, k.send) // fails where the exporter has closed it to make room
				_, _ = conn.Read(make([]byte, 1))
			}
		})
	}
	opening.Wait()
}

func labRoots() *x509.CertPool {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(faultlab.RootsPEM())
	return roots
}

// The bound on clients' connections holds for all listeners together, whatever they speak and wherever they come from:
// with 512 file descriptors and 600 idle connections a scrape of each listener succeeds.
func TestIdleConnectionsOfEveryListener(t *testing.T) {
	const healthy = "GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n"
	const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	for _, row := range []struct {
		name      string
		activated bool
		idle
	}{
		{"two addresses, silent", false, idle{}},
		{"two addresses, answered", false, idle{send: healthy}},
		{"two addresses, TLS, silent", false, idle{secure: true}},
		{"two addresses, TLS, refused without a password", false,
			idle{secure: true, alpn: []string{"http/1.1"}, send: healthy}},
		{"two addresses, TLS, HTTP/2 without a stream", false, idle{secure: true, alpn: []string{"h2"}, send: preface}},
		{"systemd's sockets, silent", true, idle{}},
		{"systemd's sockets, answered", true, idle{send: healthy}},
		{"systemd's sockets, TLS, silent", true, idle{secure: true}},
		{"systemd's sockets, TLS, HTTP/2 without a stream", true,
			idle{secure: true, alpn: []string{"h2"}, send: preface}},
	} {
		t.Run(row.name, func(t *testing.T) {
			second := faultlab.UnusedAddress(t)
			run, before, flags, addresses := exec.Command, "ulimit -n 512;", []string{"--web.listen-address=" + second},
				[]string(nil)
			if row.activated {
				run, addresses = activated(t)
				before, flags = before+" export LISTEN_PID=$$ LISTEN_FDS=2;", []string{"--web.systemd-socket"}
			}
			scheme := "http"
			if row.secure {
				scheme, flags = "https", append(flags, "--web.config.file="+secured(t))
			}
			d := runDaemonBy(t, run, http.DefaultClient,
				plainModule+"targets: [{name: api, url: "+faultlab.Handler(t, faultlab.Healthy)+"}]\n", before,
				flags...)
			if !row.activated {
				addresses = []string{d.address, second}
			}
			row.hold(t, addresses, 600)
			client := &http.Client{Timeout: patience,
				Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: labRoots()}}}
			for _, address := range addresses {
				began := time.Now()
				if body := scrapeWithPassword(t, client, scheme+"://"+address+"/metrics"); !strings.Contains(body,
					"\nprobe_success{target=\"api\"} 1\n") {
					t.Errorf("%s: the scrape has no success of the target:\n%.2000s", address, body)
				}
				if took := time.Since(began); took > noAnswer {
					t.Errorf("%s: the scrape took %s, which is long enough for the exporter to give up idle "+
						"connections", address, took)
				}
			}
		})
	}
}

// scrapeWithPassword scrapes with a timeout of 10 s.
func scrapeWithPassword(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth("oncall", "hunter2")
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", "10")
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v: %.500s", url, response.Status, err, body)
	}
	return string(body)
}
