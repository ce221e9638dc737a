package deploy

import (
	"flag"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

var update = flag.Bool("update", false, "write kubernetes/prometheusrule.yaml, and the files of the Helm chart")

// The operator's rules are those of monitoring/.
func TestPrometheusRule(t *testing.T) {
	var want strings.Builder
	want.WriteString("# monitoring/recording.yml and monitoring/alerts.yml for the Prometheus operator: go test " +
		"./deploy -update writes it.\n" +
		"apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: errno-exporter\nspec:\n  " +
		"groups:\n")
	for _, file := range []string{"recording.yml", "alerts.yml"} {
		content, err := os.ReadFile(filepath.Join("../monitoring", file))
		if err != nil {
			t.Fatal(err)
		}
		_, groups, _ := strings.Cut(string(content), "\ngroups:\n")
		for line := range strings.Lines(groups) {
			if line != "\n" {
				line = "  " + line
			}
			want.WriteString(line)
		}
	}
	const path = "kubernetes/prometheusrule.yaml"
	if *update {
		if err := os.WriteFile(path, []byte(want.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want.String() {
		t.Errorf("%s differs from monitoring/; run: go test ./deploy -update", path)
	}
	if err := yaml.Unmarshal(got, new(any)); err != nil {
		t.Errorf("%s: %v", path, err)
	}
}

// need is where a program is; without it the test is skipped.
func need(t *testing.T, program, how string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is not there: %s", program, how)
	}
	return path
}

func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "errno_exporter")
	if out, err := exec.Command("go", "build", "-o", program, "..").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// systemd finds nothing in the units.
func TestSystemdUnits(t *testing.T) {
	analyze := need(t, "systemd-analyze", "apt-get install systemd")
	program, dir := build(t), t.TempDir()
	for _, name := range []string{"errno_exporter.service", "errno_exporter.socket"} {
		content, err := os.ReadFile(filepath.Join("systemd", name))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(content), "/usr/bin/errno_exporter", program)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	verify := func(with string) {
		t.Helper()
		command := exec.Command(analyze, "verify", filepath.Join(dir, "errno_exporter.service"),
			filepath.Join(dir, "errno_exporter.socket"))
		if out, err := command.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("systemd-analyze verify, %s: %v\n%s", with, err, out)
		}
	}
	verify("the units")
	dropIns := filepath.Join(dir, "errno_exporter.service.d")
	if err := os.Mkdir(dropIns, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"reset-capture.conf", "application-network.conf"} {
		dropIn, err := os.ReadFile(filepath.Join("systemd", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dropIns, name), dropIn, 0o600); err != nil {
			t.Fatal(err)
		}
		verify("with " + name)
	}
}

// The exporter answers on a socket that systemd hands to it.
func TestSocketActivation(t *testing.T) {
	activate := need(t, "systemd-socket-activate", "apt-get install systemd")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	command := exec.Command(activate, "--listen="+address, build(t), "--config.file=../exporter.yml",
		"--web.systemd-socket")
	var log strings.Builder
	command.Stdout, command.Stderr = &log, &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	}()
	// until the socket is there; then the connection starts the exporter
	for deadline := time.Now().Add(30 * time.Second); ; {
		response, err := http.Get("http://" + address + "/-/healthy")
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode != http.StatusOK {
				t.Errorf("/-/healthy: %s", response.Status)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// promtool understands the compose demo's Prometheus.
func TestPrometheusConfiguration(t *testing.T) {
	promtool := "../.tools/promtool-3" // Debian's does not know native histograms in the configuration
	if _, err := os.Stat(promtool); err != nil {
		t.Skip("promtool-3 is not there: make tools")
	}
	if out, err := exec.Command(promtool, "check", "config", "--syntax-only",
		"compose/prometheus.yml").CombinedOutput(); err != nil {
		t.Errorf("promtool check config: %v\n%s", err, out)
	}
}

// The chart's rules and dashboards are those of monitoring/: a chart cannot have files from outside its directory.
func TestChartFiles(t *testing.T) {
	dashboards, err := filepath.Glob("../monitoring/dashboards/*.json")
	if err != nil || len(dashboards) == 0 {
		t.Fatalf("%v, %v; want the dashboards", dashboards, err)
	}
	wanted := map[string]string{"alerts.yml": "../monitoring/alerts.yml", "recording.yml": "../monitoring/recording.yml"}
	for _, file := range dashboards {
		wanted[filepath.Join("dashboards", filepath.Base(file))] = file
	}
	const files = "helm/errno-exporter/files"
	if *update {
		if err := os.RemoveAll(files); err != nil {
			t.Fatal(err)
		}
		for name, from := range wanted {
			copyFile(t, from, filepath.Join(files, name))
		}
	}
	found := 0
	err = filepath.WalkDir(files, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		found++
		name, _ := filepath.Rel(files, path)
		want, _ := os.ReadFile(wanted[name])
		if got, err := os.ReadFile(path); err != nil || string(got) != string(want) {
			t.Errorf("%s (%v) is not the file of monitoring/; run: go test ./deploy -update", path, err)
		}
		return nil
	})
	if err != nil || found != len(wanted) {
		t.Errorf("%d files (%v), want %d; run: go test ./deploy -update", found, err, len(wanted))
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o644); err != nil {
		t.Fatal(err)
	}
}
