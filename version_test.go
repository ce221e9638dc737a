package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestVersionOf(t *testing.T) {
	const revision, committed = "6103f80cb1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6", "2026-11-22T06:06:52+01:00"
	for _, row := range []struct {
		name, file, revision, committed string
		want                            string
	}{
		{"a release", "0.1.0", revision, committed, "0.1.0"},
		{"a release without version control", "0.1.0", "unknown", "", "0.1.0"},
		{"a changed release", "0.1.0", revision + "-modified", committed, "0.1.0+20261122050652.6103f80cb1c2.modified"},
		{"a checkout", "0.1.0-dev", revision, committed, "0.1.0-dev+20261122050652.6103f80cb1c2"},
		{"a changed checkout", "0.1.0-dev", revision + "-modified", committed,
			"0.1.0-dev+20261122050652.6103f80cb1c2.modified"},
		{"without version control", "0.1.0-dev", "unknown", "", "0.1.0-dev"},
		{"without a date", "0.1.0-dev", revision, "", "0.1.0-dev+6103f80cb1c2"},
		{"without a revision", "0.1.0-dev", "", committed, "0.1.0-dev+20261122050652"},
	} {
		if got := versionOf(row.file, row.revision, row.committed); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}

// The Helm chart has the file's version, as its own and as the exporter's.
func TestVersionOfTheChart(t *testing.T) {
	chart, err := os.ReadFile("deploy/helm/errno-exporter/Chart.yaml")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^(?:v|appV)ersion: (.*)$`).FindAllStringSubmatch(string(chart), -1)
	want := strings.TrimSpace(versionFile)
	if len(found) != 2 || found[0][1] != want || found[1][1] != want {
		t.Errorf("Chart.yaml has the versions %q, want %s twice", found, want)
	}
}

// The file holds a version, and the changelog's top section is about it: unreleased, or with the release's date.
func TestVersionFile(t *testing.T) {
	match := regexp.MustCompile(`^(\d+\.\d+\.\d+)(-dev|-rc\.\d+)?\n$`).FindStringSubmatch(versionFile)
	if match == nil {
		t.Fatalf("VERSION is %q, want one such as 0.1.0 or 0.1.0-dev", versionFile)
	}
	changelog, err := os.ReadFile("CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(changelog), "\n## ")
	heading, _, _ := strings.Cut(section, "\n")
	want := regexp.MustCompile(`^` + regexp.QuoteMeta(match[1]) + ` / \d{4}-\d\d-\d\d$`)
	if match[2] != "" {
		want = regexp.MustCompile(`^` + regexp.QuoteMeta(match[1]) + ` / unreleased$`)
	}
	if !want.MatchString(heading) {
		t.Errorf("CHANGELOG.md begins with %q; with VERSION %q, want %s", heading, match[0], want)
	}
}
