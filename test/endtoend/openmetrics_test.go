package endtoend

import (
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

// strictParser reads an exposition with the parser of python3-prometheus-client, which refuses what others pass over:
// families whose names clash, samples of no family, and wrong types. It prints how many families it read.
const strictParser = `
import sys
from prometheus_client import openmetrics, parser
from prometheus_client.openmetrics import parser as strict
read = strict.text_string_to_metric_families if sys.argv[1] == "openmetrics" else parser.text_string_to_metric_families
print(len(list(read(sys.stdin.read()))))
`

// Every kind of answer is an exposition that a strict parser takes.
func TestStrictParser(t *testing.T) {
	const python = "/usr/bin/python3"
	if out, err := exec.Command(python, "-c", "import prometheus_client").CombinedOutput(); err != nil {
		t.Skipf("no strict parser: apt-get install python3-prometheus-client (%s)", strings.TrimSpace(string(out)))
	}
	address := startDemo(t)
	paths := []string{"/metrics", "/metrics"} // the second has what the first counted
	for _, target := range []string{"healthy", "reset-after-request", "reset-in-body", "stalled", "closes-idle",
		"expired-certificate", "rate-limited",
		"flapping", "flapping", "one-bad-address", "http://127.0.0.1:1/", "http://[::1]:1/"} {
		paths = append(paths, "/probe?target="+target)
	}
	for _, format := range []struct{ name, accept string }{
		{"openmetrics", "application/openmetrics-text;version=1.0.0"}, {"text", "text/plain;version=0.0.4"},
	} {
		for _, path := range paths {
			check := exec.Command(python, "-c", strictParser, format.name)
			check.Stdin = strings.NewReader(withoutRuntime(answerTo(t, "http://"+address+path, format.accept)))
			if out, err := check.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) == "0" {
				t.Errorf("%s as %s: %v\n%s", path, format.name, err, out)
			}
		}
	}
}

// withoutRuntime leaves out go_*: client_golang's own go_memstats_alloc_bytes is a gauge and a counter.
func withoutRuntime(text string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE "), "go_") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// answerTo is what an exporter answers to a scraper that accepts a format.
func answerTo(t *testing.T, url, accept string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", accept)
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, response.Status, err)
	}
	return string(text)
}
