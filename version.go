package main

import (
	"runtime/debug"
	"strings"
	"time"

	"github.com/prometheus/common/version"
)

// stampVersion sets the version from the module's build information where the build has not set it (-ldflags, see the
// Makefile), so that metrics, pages and the User-Agent of a plain `go build` name a commit.
func stampVersion() {
	if version.Version != "" {
		return
	}
	version.Version = "unversioned"
	if info, ok := debug.ReadBuildInfo(); ok {
		version.Version = versionOf(info)
	}
}

// versionOf is the module's version, without its v; of a checkout the time and the commit, as in a pseudo-version
// (https://go.dev/ref/mod#pseudo-versions); "unversioned" where the build does not know either.
func versionOf(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return strings.TrimPrefix(v, "v")
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	revision := settings["vcs.revision"]
	committed, err := time.Parse(time.RFC3339, settings["vcs.time"])
	if len(revision) < 12 || err != nil {
		return "unversioned"
	}
	v := "0.0.0-" + committed.UTC().Format("20060102150405") + "-" + revision[:12]
	if settings["vcs.modified"] == "true" {
		v += "+dirty"
	}
	return v
}
