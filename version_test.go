package main

import (
	"runtime/debug"
	"testing"
)

func TestVersionOf(t *testing.T) {
	const revision = "6103f80cb1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6"
	of := func(main string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: main}, Settings: settings}
	}
	commit := []debug.BuildSetting{{Key: "vcs.revision", Value: revision}, {Key: "vcs.time", Value: "2026-11-22T06:06:52+01:00"}}
	for _, row := range []struct {
		name string
		info *debug.BuildInfo
		want string
	}{
		{"a release", of("v0.1.0"), "0.1.0"},
		{"a pseudo-version", of("v0.0.0-20261122050652-6103f80cb1c2+dirty"), "0.0.0-20261122050652-6103f80cb1c2+dirty"},
		{"a checkout", of("(devel)", commit...), "0.0.0-20261122050652-6103f80cb1c2"},
		{"a changed checkout", of("(devel)", append(commit, debug.BuildSetting{Key: "vcs.modified", Value: "true"})...),
			"0.0.0-20261122050652-6103f80cb1c2+dirty"},
		{"without version control", of("(devel)"), "unversioned"},
		{"a short revision", of("", debug.BuildSetting{Key: "vcs.revision", Value: "6103f80"}), "unversioned"},
	} {
		if got := versionOf(row.info); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}
