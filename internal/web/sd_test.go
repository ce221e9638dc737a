package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/config"
)

func TestDiscover(t *testing.T) {
	const text = `targets:
  - {name: payments, url: "https://user:hunter2@api.example.com/v1", module: api, labels: {team: billing}}
  - {name: mail, url: "http://mail.example.com", module: other}
`
	group := func(scheme, path, name, module string, more ...string) discovered {
		labels := map[string]string{"__scheme__": scheme, "__metrics_path__": path, "__param_target": name,
			"__param_module": module, "instance": name}
		for i := 0; i < len(more); i += 2 {
			labels[more[i]] = more[i+1]
		}
		return discovered{Labels: labels}
	}
	for _, row := range []struct {
		name, targets, external, prefix, address string
		want                                     []discovered
	}{
		{"none", "", "", "/", "", []discovered{}},
		{"as the client reached it", text, "", "/", "probe.example.com:10104", []discovered{
			group("http", "/probe", "payments", "api", "team", "billing"), group("http", "/probe", "mail", "other")}},
		{"under a prefix", text, "", "/errno", "probe.example.com:10104", []discovered{
			group("http", "/errno/probe", "payments", "api", "team", "billing"),
			group("http", "/errno/probe", "mail", "other")}},
		{"by its external URL", text, "https://outside.example.com/x/", "/", "outside.example.com", []discovered{
			group("https", "/x/probe", "payments", "api", "team", "billing"),
			group("https", "/x/probe", "mail", "other")}},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, err := config.Parse([]byte(labModule()+row.targets), "test", ".")
			if err != nil {
				t.Fatal(err)
			}
			e := &Endpoints{Probe: &ProbeHandler{Config: config.NewCurrent(c)}, RoutePrefix: row.prefix}
			if row.external != "" {
				if e.ExternalURL, err = url.Parse(row.external); err != nil {
					t.Fatal(err)
				}
			}
			for i := range row.want {
				row.want[i].Targets = []string{row.address}
			}
			answer := httptest.NewRecorder()
			request := httptest.NewRequest(http.MethodGet, "/sd", nil)
			request.Host = "probe.example.com:10104"
			e.discover(answer, request)
			var got []discovered
			if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, got); diff != "" ||
				answer.Header().Get("Content-Type") != "application/json" {
				t.Errorf("%s (-want +got):\n%s", answer.Header().Get("Content-Type"), diff)
			}
		})
	}
}
