package deploy

import (
	"bufio"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"errno_exporter/config"
)

// The configurations that are deployed load without a warning, and have reference targets.
func TestConfigurations(t *testing.T) {
	for _, path := range []string{"compose/exporter.yml", "kubernetes/exporter.yml"} {
		c, err := config.Load(path)
		if err != nil {
			t.Error(err)
			continue
		}
		networks := 0
		for _, reference := range c.ReferenceTargets {
			if reference.Kind == "network" {
				networks++
			}
		}
		if len(c.Warnings) > 0 || len(c.Targets) == 0 || networks < 2 {
			t.Errorf("%s: warnings %q, %d targets, %d reference networks, want none, one and two", path, c.Warnings,
				len(c.Targets), networks)
		}
	}
}

// The receiver of the compose file logs a line for each alert, and goes on after what is no notification.
func TestReceiver(t *testing.T) {
	python := need(t, "python3", "apt-get install python3")
	command := exec.CommandContext(t.Context(), python, "compose/receiver.py", "0")
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	log := bufio.NewScanner(output)
	line := func() string {
		t.Helper()
		if !log.Scan() {
			t.Fatal("the receiver has ended")
		}
		return log.Text()
	}
	address, found := strings.CutPrefix(line(), "listening on ")
	if !found {
		t.Fatalf("%q, want the address", log.Text())
	}
	for _, row := range []struct {
		name, path, body string
		status           int
		want             []string
	}{
		{"two alerts", "/pager", `{"version": "4", "status": "firing", "alerts": [
			{"status": "firing", "labels": {"alertname": "ErrnoTargetFailing", "severity": "critical"},
			 "annotations": {"summary": "payments: connection refused"}},
			{"status": "resolved", "labels": {"alertname": "A"}, "annotations": {}}]}`, 204,
			[]string{"pager: firing critical ErrnoTargetFailing: payments: connection refused", "pager: resolved - A: -"}},
		{"no JSON", "/pager", "{", 400, nil},
		{"no notification", "/pager", `{"alerts": [1]}`, 400, nil},
		{"no mapping", "/pager", `[]`, 400, nil},
		{"hostile text", "/team%1B", `{"alerts": [{"status": "firing", "labels": {"alertname": "A\u001b[2J\nB"},
			"annotations": {"summary": "\u202eé"}}]}`, 204, []string{"team%1B: firing - A?[2J?B: ?é"}},
	} {
		response, err := http.Post(address+row.path, "application/json",
			strings.NewReader(row.body))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if response.StatusCode != row.status {
			t.Errorf("%s: %s, want %d", row.name, response.Status, row.status)
		}
		for _, want := range row.want {
			if got := line(); got != want {
				t.Errorf("%s: logged %q, want %q", row.name, got, want)
			}
		}
	}
}
