package metrics

import (
	"fmt"
	"net/url"
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// The URL is one to which paths are appended, and shows no credentials.
func TestWebInfo(t *testing.T) {
	for _, row := range []struct {
		external string
		want     []string
	}{
		{"", nil},
		{"https://probe.example.com", webInfo("https://probe.example.com")},
		{"http://probe.example.com:8080/", webInfo("http://probe.example.com:8080")},
		{"https://user:s3cret@probe.example.com/a%20b/errno/", webInfo("https://probe.example.com/a%20b/errno")},
	} {
		t.Run(row.external, func(t *testing.T) {
			var external *url.URL
			if row.external != "" {
				var err error
				if external, err = url.Parse(row.external); err != nil {
					t.Fatal(err)
				}
			}
			registry := prometheus.NewPedanticRegistry()
			NewWebInfo(registry, external)
			families, err := registry.Gather()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range families {
				for _, m := range f.GetMetric() {
					for _, l := range m.Label { // whose own String differs from build to build
						got = append(got, fmt.Sprintf("%s{%s=%q} %v", f.GetName(), l.GetName(), l.GetValue(),
							m.GetGauge().GetValue()))
					}
				}
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("NewWebInfo(%q) registers %q, want %q", row.external, got, row.want)
			}
		})
	}
}

func webInfo(external string) []string {
	return []string{`errno_exporter_web_info{external_url="` + external + `"} 1`}
}
