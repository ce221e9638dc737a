package metrics

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/lifetime"
	"errno_exporter/internal/target/state"
)

// What is measured of the lifetime of idle connections has samples as far as it is known.
func TestLifetime(t *testing.T) {
	for _, row := range []struct {
		name   string
		search lifetime.Search
		want   []string
	}{
		{"nothing is known", lifetime.Search{}, nil},
		{"nothing has died", lifetime.Search{Survived: time.Minute},
			[]string{`probe_keepalive_lifetime_seconds{bound="survived"} 60`}},
		{"a bracket", lifetime.Search{Survived: 344 * time.Second, Died: 352 * time.Second, End: lifetime.RST},
			[]string{`probe_keepalive_end_info{by="age",end="rst"} 1`,
				`probe_keepalive_lifetime_seconds{bound="survived"} 344`,
				`probe_keepalive_lifetime_seconds{bound="died"} 352`}},
		{"a reload", lifetime.Search{Survived: 64 * time.Second, Clock: lifetime.FIN},
			[]string{`probe_keepalive_end_info{by="clock",end="fin"} 1`,
				`probe_keepalive_lifetime_seconds{bound="survived"} 64`}},
	} {
		e := NewExposition()
		e.Keepalive(state.Idle{Lifetime: row.search})
		if diff := cmp.Diff(row.want, samplesOf(e.Text())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

// samplesOf are the samples of an exposition.
func samplesOf(text string) (all []string) {
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			all = append(all, strings.TrimSpace(line))
		}
	}
	return all
}
