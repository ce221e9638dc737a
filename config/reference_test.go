package config

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"errno_exporter/prober/module"
)

// equalModules compares whole modules: expressions by their text, functions by whether they are there.
var equalModules = cmp.Options{
	cmp.Comparer(func(a, b *regexp.Regexp) bool { return a.String() == b.String() }),
	cmp.Comparer(func(a, b *module.Mask) bool { return reflect.DeepEqual(a, b) }),
	cmp.Comparer(func(a, b *module.Sent) bool { return (a == nil) == (b == nil) }), // empty after a load
	cmp.FilterPath(func(p cmp.Path) bool {
		return p.Last().String() == ".Proxy" ||
			p.Last().String() == ".Credentials"
	},
		cmp.Transformer("isSet", func(v any) bool { return fmt.Sprintf("%v", v) != "<nil>" })),
	cmpopts.IgnoreUnexported(tls.Config{}),
	cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}),
}

// documented reads the reference configuration's comments: key to default. A key's line is "#   key: meaning", its
// default's "#     default: value".
func documented(t *testing.T) map[string]string {
	t.Helper()
	file, err := os.Open("../exporter.yml")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	keyLine, detail := regexp.MustCompile(`^#   ([a-z_0-9]+): \S`),
		regexp.MustCompile(`^#     (default|range): (\S.*)$`)
	defaults, ranges, key := map[string]string{}, map[string]bool{}, ""
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if m := keyLine.FindStringSubmatch(lines.Text()); m != nil {
			key = m[1]
		} else if m := detail.FindStringSubmatch(lines.Text()); m != nil && m[1] == "default" {
			defaults[key] = m[2]
		} else if m != nil {
			ranges[key] = true
		}
	}
	for key := range defaults {
		if !ranges[key] {
			t.Errorf("exporter.yml documents no range of %q", key)
		}
	}
	return defaults
}

func TestReferenceDocumentsEveryKey(t *testing.T) {
	h := &httpKeys{Module: module.New("x")}
	want := append(slices.Collect(maps.Keys(h.keys())), "prober", "timeout", "http")
	want = slices.AppendSeq(want, maps.Keys(new(Target).keys(place{}, nil)))
	want = slices.AppendSeq(want, maps.Keys(new(Policy).keys()))
	want = slices.AppendSeq(want, maps.Keys(new(Observe).keys()))
	want = append(want, "address", "kind", "observe", "target_files") // of reference targets, beside name
	got := slices.Sorted(maps.Keys(documented(t)))
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys of the program and of exporter.yml differ (-program +exporter.yml):\n%s", diff)
	}
}

// aroundDefault are the files in which a documented default stands, for the keys that are not a module's.
var aroundDefault = map[string]string{
	"kind":           "control_targets: [{name: c, address: '10.0.0.1:9', kind: %s}]\n",
	"targets":        "probe_policy: {targets: %s}\n",
	"deny_networks":  "probe_policy: {deny_networks: %s}\n",
	"nat64_prefixes": "probe_policy: {nat64_prefixes: %s}\n",
	"max_concurrent": "probe_policy: {max_concurrent: %s}\n",
	"observe":        "observe: %s\n",
	"interval":       "observe: {interval: %s}\n",
	"networks":       "observe: {networks: %s}\n",
	"target_files":   "target_files: %s\n",
	"labels":         "targets: [{name: t, url: http://t/, labels: %s}]\n",
	"histograms":     "targets: [{name: t, url: http://t/, histograms: %s}]\n",
	"min_interval":   "targets: [{name: t, url: http://t/, min_interval: %s}]\n",
}

// checkDefault holds a file with a documented default to the one without the key.
func checkDefault(t *testing.T, key, text string) {
	t.Helper()
	const modules = "modules: {http_2xx: {prober: http}}\n"
	documented, err := Parse([]byte(modules+text), "f.yml", ".")
	if err != nil {
		t.Errorf("the documented default of %q does not load: %v", key, err)
		return
	}
	bare, err := Parse([]byte(modules+"targets: [{name: t, url: http://t/}]\n"), "f.yml", ".")
	if err != nil {
		t.Fatal(err)
	}
	if len(documented.Targets) == 0 {
		bare.Targets = nil
	}
	around := "" // none is the default: its keys have theirs
	switch {
	case len(documented.ReferenceTargets) > 0:
		around = "control_targets: [{name: c, address: '10.0.0.1:9'}]\n"
	case documented.Observe != nil:
		around = "observe: true\n"
	}
	if around != "" {
		if bare, err = Parse([]byte(modules+around), "f.yml", "."); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(bare, documented, equalModules, cmpopts.EquateEmpty(),
		cmpopts.IgnoreUnexported(Config{})); diff != "" {
		t.Errorf("the documented default of %q is not the real one (-real +documented):\n%s", key, diff)
	}
}

// TestReferenceDocumentsTheDefaults configures each documented default: the module must be the one without it.
func TestReferenceDocumentsTheDefaults(t *testing.T) {
	for key, value := range documented(t) {
		if strings.HasPrefix(value, "none") || key == "http" || key == "module" {
			continue
		}
		if text, ok := aroundDefault[key]; ok {
			checkDefault(t, key, fmt.Sprintf(text, value))
			continue
		}
		text := "modules:\n  m:\n    prober: http\n    http:\n      " + key + ": " + value + "\n"
		if key == "timeout" {
			text = "modules:\n  m:\n    prober: http\n    timeout: " + value + "\n"
		}
		c, err := Parse([]byte(text), "f.yml", ".")
		if err != nil {
			t.Errorf("the documented default of %q does not load: %v", key, err)
			continue
		}
		if diff := cmp.Diff(module.New("m"), c.Modules["m"], equalModules, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("the documented default of %q is not the real one (-real +documented):\n%s", key, diff)
		}
	}
}

func TestShippedFileLoads(t *testing.T) {
	c, err := Load("../exporter.yml")
	if err != nil {
		t.Fatal(err)
	}
	if c.Modules[DefaultModule] == nil {
		t.Errorf("exporter.yml has no module %q", DefaultModule)
	}
}
