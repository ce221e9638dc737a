package documents

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"errno_exporter/config"
)

// promtools are the oldest that is supported and the newest.
var promtools = []struct{ program, how string }{
	{"promtool", "apt-get install prometheus"}, {"promtool-3", "make tools"},
}

// yamlBlock is a block of YAML in the documentation.
type yamlBlock struct{ place, text string }

var yamlFence = regexp.MustCompile("(?ms)^```ya?ml\n(.*?)^```$")

// TestYAMLOfTheDocumentation: each block of YAML in README.md and docs is accepted by the program that it is for.
func TestYAMLOfTheDocumentation(t *testing.T) {
	blocks := yamlBlocks(t)
	kinds := map[string]int{}
	for _, block := range blocks {
		kind := kindOf(block.text)
		kinds[kind]++
		if kind != "exporter" {
			continue
		}
		if _, err := config.Load(write(t, configuration(block.text))); err != nil {
			t.Errorf("%s: %v", block.place, err)
		}
	}
	if kinds["scrape"] < 5 || kinds["rules"] < 2 || kinds["exporter"] < 1 {
		t.Errorf("found %v, which is too few", kinds)
	}
	for _, tool := range promtools {
		t.Run(tool.program, func(t *testing.T) {
			program := find(t, tool.program, tool.how)
			for _, block := range blocks {
				switch kindOf(block.text) {
				case "scrape":
					run(t, block.place, program, "check", "config", write(t, block.text))
				case "rules":
					run(t, block.place, program, "check", "rules", write(t, rules(block.text)))
				}
			}
		})
	}
}

// TestAlertsOfTheMigrationPage: they fire where they should and are silent elsewhere, in promtool's unit tests.
func TestAlertsOfTheMigrationPage(t *testing.T) {
	var alerts []string
	for _, block := range yamlBlocks(t) {
		if strings.HasPrefix(block.place, "docs/migrating-from-blackbox.md") && kindOf(block.text) == "rules" {
			alerts = append(alerts, block.text)
		}
	}
	if len(alerts) != 1 {
		t.Fatalf("%d blocks of rules, want 1", len(alerts))
	}
	cases, err := os.ReadFile("testdata/migrating.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range promtools {
		t.Run(tool.program, func(t *testing.T) {
			dir := filepath.Dir(write(t, alerts[0]))
			file := filepath.Join(dir, "test.yml")
			if err := os.WriteFile(file, cases, 0o600); err != nil {
				t.Fatal(err)
			}
			run(t, "docs/migrating-from-blackbox.md", find(t, tool.program, tool.how), "test", "rules", file)
		})
	}
}

func yamlBlocks(t *testing.T) []yamlBlock {
	t.Helper()
	paths, err := filepath.Glob(root + "/docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []yamlBlock
	for _, path := range append(paths, root+"/README.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name, _ := filepath.Rel(root, path)
		for _, at := range yamlFence.FindAllSubmatchIndex(text, -1) {
			line := 1 + bytes.Count(text[:at[2]], []byte("\n"))
			blocks = append(blocks, yamlBlock{fmt.Sprintf("%s:%d", name, line), string(text[at[2]:at[3]])})
		}
	}
	return blocks
}

// kindOf tells the program of a block by its first key.
func kindOf(text string) string {
	switch {
	case strings.HasPrefix(text, "scrape_configs:"):
		return "scrape"
	case strings.HasPrefix(text, "groups:"), strings.HasPrefix(text, "- alert:"), strings.HasPrefix(text, "- record:"):
		return "rules"
	default:
		return "exporter"
	}
}

// rules makes a file of rules that stand by themselves.
func rules(text string) string {
	if strings.HasPrefix(text, "groups:") {
		return text
	}
	return "groups:\n- name: documented\n  rules:\n  " + strings.ReplaceAll(text, "\n", "\n  ")
}

// configuration gives a part of a configuration the module that it lacks.
func configuration(text string) string {
	if strings.Contains(text, "modules:") {
		return text
	}
	return text + "modules: {http_2xx: {prober: http}}\n"
}

// write writes a block to a file in a directory of its own.
func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "block.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func find(t *testing.T, program, how string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		path, err = exec.LookPath(root + "/.tools/" + program)
	}
	if err != nil {
		t.Skipf("%s is not there: %s", program, how)
	}
	return path
}

func run(t *testing.T, place, program string, args ...string) {
	t.Helper()
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
		t.Errorf("%s: %s %q: %v\n%s", place, filepath.Base(program), args, err, out)
	}
}
