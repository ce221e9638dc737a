package cli

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The command healthy against servers that answer as the exporter does, as something else does, and not at all.
func TestHealthy(t *testing.T) {
	t.Parallel()
	answers := func(status int, body string) http.Handler {
		mux := http.NewServeMux()
		mux.HandleFunc("/-/healthy", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		})
		return mux
	}
	const healthy, found = "errno_exporter is healthy\n", "errno_exporter is healthy at ADDR"
	good := answers(http.StatusOK, healthy)
	plain, encrypted, mutual := (*httptest.Server).Start, (*httptest.Server).StartTLS, startMutualTLS
	for _, row := range []struct {
		name    string
		handler http.Handler
		start   func(*httptest.Server)
		options HealthyOptions
		status  int
		want    string
	}{
		{"healthy", good, plain, HealthyOptions{}, 0, found},
		{"a prefix", http.StripPrefix("/errno", good), plain, HealthyOptions{RoutePrefix: "/errno"}, 0, found},
		{"TLS", good, encrypted, HealthyOptions{TLS: true}, 0, found},
		{"TLS, unexpected", good, encrypted, HealthyOptions{}, 0, found},
		{"no TLS where it is expected", good, plain, HealthyOptions{TLS: true}, 0, found},
		{"client certificates", good, mutual, HealthyOptions{TLS: true}, 0, found},
		{"a password", answers(http.StatusUnauthorized, "Unauthorized\n"), plain, HealthyOptions{}, 0, found},
		{"an error", answers(http.StatusInternalServerError, healthy), plain, HealthyOptions{}, 1,
			"errno_exporter: ADDR is not healthy: /-/healthy answers with status 500"},
		{"another prefix", good, plain, HealthyOptions{RoutePrefix: "/errno"}, 1,
			"errno_exporter: ADDR is not healthy: /errno/-/healthy is not found, want the exporter's --web.route-prefix"},
		{"a redirect", http.RedirectHandler("/login", http.StatusFound), plain, HealthyOptions{}, 1,
			"errno_exporter: ADDR is not healthy: /-/healthy answers with status 302"},
		{"another program", answers(http.StatusOK, "OK"), plain, HealthyOptions{}, 1, "errno_exporter: ADDR is not healthy: " +
			"another program answers at /-/healthy, want the exporter's --web.listen-address"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(row.handler)
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			row.start(server)
			defer server.Close()
			row.options.Addresses = []string{server.Listener.Addr().String()}
			status, output := runHealthy(&row.options)
			output = strings.ReplaceAll(output, row.options.Addresses[0], "ADDR")
			if status != row.status || output != row.want+"\n" {
				t.Errorf("status %d, %q; want %d, %q", status, output, row.status, row.want)
			}
		})
	}
}

// A server that accepts and is silent, a closed port, and an address that is none.
func TestHealthyWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, row := range []struct{ address, want string }{
		{silent.Addr().String(), "no answer within 2s"},
		{"127.0.0.1:1", "dial tcp 127.0.0.1:1: connect: "},
		{"vsock://:10104", "dial tcp: "},
	} {
		status, output := runHealthy(&HealthyOptions{Addresses: []string{row.address}, RoutePrefix: "/"})
		want := "errno_exporter: " + row.address + " is not healthy: " + row.want
		if status != 1 || !strings.HasPrefix(output, want) || strings.Count(output, "\n") != 1 {
			t.Errorf("status %d, %q; want 1, one line that begins with %q", status, output, want)
		}
	}
}

// Each address has to answer, and one without a host is this host.
func TestHealthyAddresses(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "errno_exporter is healthy\n")
	}))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		addresses []string
		want      int
	}{
		{[]string{":" + port}, 0},
		{[]string{"0.0.0.0:" + port}, 0},
		{[]string{"127.0.0.1:" + port, "localhost:" + port}, 0},
		{[]string{"127.0.0.1:" + port, "127.0.0.1:1"}, 1},
	} {
		if status, output := runHealthy(&HealthyOptions{Addresses: row.addresses}); status != row.want {
			t.Errorf("%s: status %d, %q; want %d", row.addresses, status, output, row.want)
		}
	}
}

func runHealthy(o *HealthyOptions) (status int, output string) {
	var both bytes.Buffer
	status = Healthy(o, &both, &both)
	return status, both.String()
}

func startMutualTLS(s *httptest.Server) {
	s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	s.StartTLS()
}
