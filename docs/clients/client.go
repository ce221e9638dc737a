package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"time"
)

const (
	idle     = 4 * time.Second // reuse no connection that was idle for longer; below the server's idle timeout
	attempts = 4
	base     = 100 * time.Millisecond
	limit    = 2 * time.Second
)

// newClient returns the one client of the program: it owns the pool.
func newClient() *http.Client {
	dialer := &net.Dialer{
		Timeout: 3 * time.Second,
		// For a NAT that removes idle flows.
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3},
	}
	return &http.Client{Transport: &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer.DialContext,
		ForceAttemptHTTP2:   true,
		TLSHandshakeTimeout: 5 * time.Second,
		IdleConnTimeout:     idle,
		MaxIdleConnsPerHost: 10, // the default of 2 opens a new connection for most calls of a busy client
	}}
}

func idempotent(method string) bool {
	return slices.Contains([]string{"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}, method)
}

// try makes one attempt, reads the whole answer, and reports how long the server asks to wait.
func try(client *http.Client, request *http.Request) (status int, after time.Duration, err error) {
	response, err := client.Do(request)
	if err != nil {
		return 0, 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body) // read to the end: else the connection is not reused
	seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
	return response.StatusCode, time.Duration(seconds) * time.Second, err
}

// call makes a request within the context's deadline, which bounds connecting, waiting and the body.
func call(ctx context.Context, client *http.Client, method, url string) (int, error) {
	for n := 1; ; n++ {
		request, err := http.NewRequestWithContext(ctx, method, url, nil)
		if err != nil {
			return 0, err
		}
		status, wait, err := try(client, request)
		operation, isOperation := errors.AsType[*net.OpError](err)
		unsent := isOperation && operation.Op == "dial"
		busy := slices.Contains([]int{429, 502, 503, 504}, status)
		if err == nil && !busy || !idempotent(method) && !unsent {
			return status, err // a POST that was sent may have been processed
		}
		wait = max(wait, rand.N(min(limit, base<<n))) // backoff with full jitter
		if end, bounded := ctx.Deadline(); n == attempts || bounded && time.Until(end) <= wait {
			return status, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return status, ctx.Err()
		}
	}
}

func main() {
	client := newClient()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var method, url string
		var seconds float64
		_, _ = fmt.Sscan(lines.Text(), &method, &url, &seconds)
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(seconds*float64(time.Second)))
		status, err := call(ctx, client, method, url)
		cancel()
		if err != nil {
			fmt.Println("failed", err)
			continue
		}
		fmt.Println(status)
	}
}
