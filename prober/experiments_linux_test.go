package prober

import (
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// failedAt is a failure of a probe of one public address over HTTP/2, of which nothing captured who sent a reset. The
// experiments that need other addresses of the name are not among those that it calls for.
func failedAt(phase result.Phase, reason result.Reason) *result.Result {
	hop := result.Hop{Addr: netip.MustParseAddrPort("203.0.113.1:443"), Wire: &result.Wire{}}
	switch phase {
	case result.Resolve:
		hop = result.Hop{}
	case result.Proxy:
		hop.Proxy = "http://192.0.2.2:3128"
	case result.TLS:
		hop.TLS = &result.TLSState{}
	case result.Request, result.Processing, result.Transfer, result.Validate:
		hop.TLS = &result.TLSState{ALPN: "h2"}
		if overQUIC(reason) {
			hop.TLS.ALPN = "h3"
		}
	}
	failure := &result.Failure{Phase: phase, Reason: reason}
	return &result.Result{Failure: failure, Attempts: []result.Attempt{{Failure: failure, Hops: []result.Hop{hop}}}}
}

func overQUIC(reason result.Reason) bool { return strings.HasPrefix(string(reason), "quic.") }

// experimenting is a module with a header, for which all experiments are allowed.
func experimenting(reason result.Reason) *module.Module {
	m := &module.Module{Method: http.MethodGet, Header: http.Header{"X-Odd": {"1"}}}
	m.EnableHTTP3 = overQUIC(reason)
	m.Diagnose.OnFailure, m.Diagnose.NeverRouted, m.Diagnose.ClosedPort = true, true, true
	return m
}

// calls is what the failures of a phase call for, in the order of the reasons.
type calls struct {
	kinds   string
	reasons []string
}

// callsIn are the failures of a phase by what they call for. Those that most call for are named as the others.
func callsIn(phase result.Phase) (all []calls, kinds []result.ExperimentKind) {
	for _, row := range result.Reasons {
		if !slices.Contains(row.Phases, phase) {
			continue
		}
		made := experimentsFor(failedAt(phase, row.Reason), experimenting(row.Reason))
		var words []string
		for _, kind := range made {
			words = append(words, strings.ReplaceAll("`"+string(kind)+"`", HelloPrefix+"`", HelloPrefix+"*`"))
		}
		kinds = append(kinds, made...)
		text := strings.Join(words, ", ")
		if text == "" {
			text = "none"
		}
		at := slices.IndexFunc(all, func(c calls) bool { return c.kinds == text })
		if at < 0 {
			all, at = append(all, calls{kinds: text}), len(all)
		}
		all[at].reasons = append(all[at].reasons, "`"+string(row.Reason)+"`")
	}
	slices.SortStableFunc(all, func(a, b calls) int { return len(a.reasons) - len(b.reasons) })
	if len(all) > 1 {
		all[len(all)-1].reasons = []string{"every other"}
	} else {
		all[0].reasons = []string{"every"}
	}
	return all, kinds
}

// The table in docs/how-it-works.md of which failure leads to which experiments is what the code does, and each of them
// is explained there.
func TestExperimentsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/how-it-works.md")
	if err != nil {
		t.Fatal(err)
	}
	page, table := string(text), "| phase | failure | experiments, in this order |\n|---|---|---|\n"
	for _, phase := range result.Phases {
		if phase.Phase == result.Idle {
			continue // no probe fails there
		}
		all, kinds := callsIn(phase.Phase)
		for _, c := range all {
			table += fmt.Sprintf("| `%s` | %s | %s |\n", phase.Phase, strings.Join(c.reasons, ", "), c.kinds)
		}
		for _, kind := range kinds {
			if !regexp.MustCompile("(?m)^\\| (`[a-z_]+`, )*`" + string(kind) + "[`*]").MatchString(page) {
				t.Errorf("docs/how-it-works.md does not explain %s", kind)
			}
		}
	}
	if !strings.Contains(page, table) {
		t.Errorf("docs/how-it-works.md lacks this table:\n%s", table)
	}
}
