package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// withoutMonotonic is what takes from a time its monotonic reading (package time). Two such times are subtracted by the
// system's clock, which may have been set between them.
var withoutMonotonic = regexp.MustCompile(`\.(Round\(0\)|Truncate\(|Unix(Nano|Milli|Micro)?\(\))`)

// wallClock is how often a file does that. None of these times is subtracted from another one, but where it says so.
var wallClock = map[string]int{
	"config/compile/oauth2.go":        2, // subtracts, beside the monotonic clock: see fresh
	"internal/metrics/exemplar.go":    2, // the moment of a sample, here and below
	"internal/metrics/http.go":        1,
	"internal/metrics/reload.go":      1,
	"internal/metrics/revocation.go":  2,
	"internal/metrics/storage.go":     1,
	"internal/metrics/target.go":      1,
	"internal/metrics/tls.go":         4, // subtracts: the two dates of a certificate
	"internal/reset/packets_linux.go": 3, // subtracts: see arrivedAt
	"internal/store/columns.go":       1, // outlives the process
	"internal/store/walk.go":          2, // compares with the times of IDs
	"internal/target/state/encode.go": 1, // outlives the process
	"internal/target/state/ticks.go":  4, // subtracts: see SameClock
	"internal/web/incidents.go":       1, // the page's time, here and below
	"internal/web/status.go":          1,
	"internal/web/target_page.go":     1,
	"prober/result/fields.go":         2, // compares the two clocks: see clockSlack
	"prober/result/pack.go":           1, // dates of certificates; a Result's start stays as it is
	"prober/revocation/list.go":       1, // when a certificate was revoked, as its list has it
	"prober/socket/clock.go":          1, // subtracts: see since
}

// Durations, ages and intervals go by the monotonic clock.
func TestClocksAreMonotonic(t *testing.T) {
	found := map[string]int{}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		for _, dir := range append(notThePrograms, "test", "tools", ".") {
			if strings.HasPrefix(path, dir) && path != "." {
				return nil
			}
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if n := len(withoutMonotonic.FindAll(text, -1)); n > 0 {
			found[filepath.ToSlash(path)] = n
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wallClock, found); diff != "" {
		t.Errorf("times without a monotonic reading (-want +got):\n%s", diff)
	}
}
