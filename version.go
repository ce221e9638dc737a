package main

import (
	_ "embed"
	"runtime/debug"
	"strings"
	"time"

	"github.com/prometheus/common/version"
)

// versionFile is the one source of the version. A release commit takes "-dev" off, and its tag is the file's content.
//
//go:embed VERSION
var versionFile string

// stampVersion sets the version and the commit's date unless the build has set them (-ldflags, see the Makefile), so
// that metrics, pages and the User-Agent name the version and, between releases, the commit.
func stampVersion() {
	if info, ok := debug.ReadBuildInfo(); ok && version.BuildDate == "" {
		for _, s := range info.Settings {
			if s.Key == "vcs.time" {
				version.BuildDate = s.Value
			}
		}
	}
	version.Revision = version.GetRevision()
	if version.Version == "" {
		version.Version = versionOf(strings.TrimSpace(versionFile), version.Revision, version.BuildDate)
	}
}

// versionOf is the version in the file. Where the program is not built from a release's commit, the time and the
// revision follow as build metadata (https://semver.org/#spec-item-10), as far as the build knows them.
func versionOf(file, revision, committed string) string {
	revision, modified := strings.CutSuffix(revision, "-modified")
	if !strings.Contains(file, "-") && !modified {
		return file
	}
	var metadata []string
	if t, err := time.Parse(time.RFC3339, committed); err == nil {
		metadata = append(metadata, t.UTC().Format("20060102150405"))
	}
	if len(revision) >= 12 {
		metadata = append(metadata, revision[:12])
	}
	if modified {
		metadata = append(metadata, "modified")
	}
	if len(metadata) == 0 {
		return file
	}
	return file + "+" + strings.Join(metadata, ".")
}
