package prober

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// Target is what to probe, parsed once.
type Target struct {
	URL  *url.URL // absolute, http or https; never changed after ParseTarget
	Host string   // overrides the Host header and the TLS server name (the hostname parameter); empty for the URL's

	// which addresses may be dialled; nil: any. It is checked on the very address, on every hop
	Policy     *module.Networks
	Configured bool // the operator named the URL's host, which the policy therefore leaves alone
}

// named is the target as a Result names it.
func (t *Target) named() result.Target { return result.Target{URL: t.URL, Host: t.Host} }

// ParseTarget reads a target as it is asked for: a URL, or a host with an optional port and path, for which http:// is
// assumed as in blackbox_exporter. The error is one line that names the value and the fix.
func ParseTarget(raw string) (Target, error) {
	if strings.TrimSpace(raw) == "" {
		return Target{}, errors.New(`target is missing: add target=URL, such as target=https://api.example.com/health`)
	}
	u, err := module.ParseURL(raw)
	if err != nil {
		return Target{}, fmt.Errorf("target %w", err)
	}
	return Target{URL: u}, nil
}
