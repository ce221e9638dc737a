package config

import (
	"crypto/tls"
	"net/http"
	"time"
)

// NewModule returns a module with every default, as `prober: http` alone gives it.
func NewModule(name string) *Module {
	return &Module{
		Name:               name,
		Method:             http.MethodGet,
		Header:             http.Header{},
		PreferIPv6:         true,
		IPProtocolFallback: true,
		EnableHTTP2:        true,
		FollowRedirects:    true,
		Retry:              Retry{Attempts: 1, InitialBackoff: 500 * time.Millisecond, MaxBackoff: 5 * time.Second},
		BodySizeLimit:      defaultBodyLimit,
		Diagnose:           Diagnose{MaxPerHour: 6},
		TLS:                &tls.Config{NextProtos: []string{"h2", "http/1.1"}},
	}
}

// defaultBodyLimit is what a body may have, in bytes after decompression, unless body_size_limit says otherwise.
const defaultBodyLimit = 256 << 20

// The same where the rules on bodies need the whole of it in memory, for every in-flight probe.
const (
	defaultJudged = 1 << 20
	maxJudged     = 64 << 20
)

// DefaultModule is the name of the module that is used when none is asked for.
const DefaultModule = "http_2xx"

// Default is the configuration without a file: the module http_2xx with every default.
func Default() *Config {
	return &Config{
		Modules: map[string]*Module{DefaultModule: NewModule(DefaultModule)},
		Policy:  DefaultPolicy(),
		yaml:    []byte("modules:\n    " + DefaultModule + ":\n        prober: http\n"),
	}
}
