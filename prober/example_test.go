package prober_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"time"

	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// A probe of a server that answers. What happens to a target is a Result, never an error.
func ExampleProber_Probe() {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()

	p := prober.New(prober.Options{UserAgent: "example"})
	m := module.New("api")
	m.ValidStatusCodes = []int{http.StatusNotFound}
	target, err := prober.ParseTarget(server.URL)
	if err != nil {
		fmt.Println(err) // one line that names the value and the fix
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	r := p.Probe(ctx, target, m)
	for _, span := range r.Last().LastHop().Spans {
		fmt.Println(span.Phase)
	}
	fmt.Println(r.Failure == nil)
	// Output:
	// resolve
	// connect
	// request
	// processing
	// transfer
	// validate
	// true
}

// A probe of a server that resets the connection once it has read the request: a failure has a phase, a reason, an
// errno and an origin, and the sentence that an operator reads.
func ExampleProber_Probe_failure() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		_ = connection.(*net.TCPConn).SetLinger(0) // Close sends a RST
		_ = connection.Close()
	}))
	defer server.Close()

	target, err := prober.ParseTarget(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	f := prober.New(prober.Options{}).Probe(ctx, target, module.New("api")).Failure
	fmt.Println(f.Phase, f.Reason, result.ErrnoName(f.Errno), f.Origin)
	// Output: processing tcp.reset ECONNRESET peer
}

// What may be connected to is bounded by the target's policy, which is checked on the very address.
func ExampleTarget() {
	networks := module.DefaultNetworks() // denies the metadata services of clouds
	target, err := prober.ParseTarget("http://169.254.169.254/latest")
	if err != nil {
		fmt.Println(err)
		return
	}
	target.Policy = &networks
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	f := prober.New(prober.Options{}).Probe(ctx, target, module.New("api")).Failure
	fmt.Println(f.Phase, f.Reason)
	// Output: connect local.denied
}

// A target is a URL, or a host with an optional port and path.
func ExampleParseTarget() {
	for _, raw := range []string{"https://api.example.com/health", "api.example.com:8080", "ftp://api.example.com"} {
		if target, err := prober.ParseTarget(raw); err != nil {
			fmt.Println(err)
		} else {
			fmt.Println(target.URL)
		}
	}
	// Output:
	// https://api.example.com/health
	// http://api.example.com:8080
	// target "ftp://api.example.com": scheme "ftp" is not supported, want http or https
}
