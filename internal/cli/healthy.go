package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// healthyTimeout bounds the command healthy. Docker's and Podman's own default is 30 s.
const healthyTimeout = 2 * time.Second

// HealthyOptions say where the running exporter listens, as its own flags do.
type HealthyOptions struct {
	Addresses   []string // of --web.listen-address
	TLS         bool     // likely, as --web.config.file is given
	RoutePrefix string   // "/" or a path without a slash at its end
}

// Healthy asks the running exporter for /-/healthy at each of its addresses, prints one line and returns the exit
// status: ExitOK if all of them answer within healthyTimeout, else ExitUsage.
func Healthy(o *HealthyOptions, out, messages io.Writer) int {
	ctx, cancel := context.WithTimeout(context.Background(), healthyTimeout)
	defer cancel()
	for _, address := range o.Addresses {
		if err := o.ask(ctx, address); err != nil {
			return Refuse(messages, fmt.Errorf("%s is not healthy: %w", address, err))
		}
	}
	fmt.Fprintf(out, "errno_exporter is healthy at %s\n", strings.Join(o.Addresses, ", "))
	return ExitOK
}

// ask sends the request over HTTP or TLS, and over the other one where the exporter does not speak the first.
func (o *HealthyOptions) ask(ctx context.Context, address string) error {
	schemes := [2]string{"http", "https"}
	if o.TLS {
		schemes = [2]string{"https", "http"}
	}
	err := o.askOver(ctx, schemes[0], address)
	if errors.Is(err, errOtherScheme) {
		err = o.askOver(ctx, schemes[1], address)
	}
	return err
}

// errOtherScheme means that the server speaks TLS where it was not expected, or does not where it was.
var errOtherScheme = errors.New("the server expects the other of HTTP and HTTPS")

func (o *HealthyOptions) askOver(ctx context.Context, scheme, address string) error {
	path := strings.TrimSuffix(o.RoutePrefix, "/") + "/-/healthy"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://localhost"+path, nil)
	if err != nil {
		return err
	}
	response, err := healthyTransport(address).RoundTrip(request)
	if err != nil {
		return judgeRefusal(ctx, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	if err != nil {
		return judgeRefusal(ctx, err)
	}
	switch {
	case response.StatusCode == http.StatusUnauthorized: // the password is another's, and its hash alone is known here
		return nil
	case response.StatusCode == http.StatusBadRequest && scheme == "http" &&
		strings.Contains(string(body), "HTTP request to an HTTPS server"):
		return errOtherScheme
	case response.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%s is not found, want the exporter's --web.route-prefix", path)
	case response.StatusCode != http.StatusOK:
		return fmt.Errorf("%s answers with status %d", path, response.StatusCode)
	case !strings.HasPrefix(string(body), "errno_exporter "):
		return fmt.Errorf("another program answers at %s, want the exporter's --web.listen-address", path)
	}
	return nil
}

// judgeRefusal is nil where the server's own answer is that the client has no certificate: it runs.
func judgeRefusal(ctx context.Context, err error) error {
	var op *net.OpError
	var header tls.RecordHeaderError
	switch {
	case errors.As(err, &op) && op.Op == "remote error":
		return nil
	case errors.As(err, &header):
		return errOtherScheme
	case ctx.Err() != nil:
		return fmt.Errorf("no answer within %s", healthyTimeout)
	}
	return err
}

// healthyTransport connects to the exporter of this host or container, without a proxy. An address without a host is
// this host. The certificate is for the names that clients use, and nothing secret is sent: it is not verified.
func healthyTransport(address string) *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		DisableKeepAlives: true,
	}
}
