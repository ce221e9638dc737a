package cli

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"errno_exporter/config"
	"errno_exporter/internal/escape"
)

// CheckOptions are the command line of check-config.
type CheckOptions struct {
	File   string // empty: the one of --config.file
	Strict bool   // warnings count as errors
}

// Check loads a configuration file, prints what is wrong with it, what of it is served, and what is different from
// blackbox_exporter, and returns the exit status. file is checked unless the options name another.
func Check(o *CheckOptions, file string, out, messages io.Writer) int {
	file = cmp.Or(o.File, file)
	c, err := config.Load(file)
	if err != nil {
		fmt.Fprintln(messages, err)
		return ExitUsage
	}
	level := "warning: "
	if o.Strict {
		level = ""
	}
	for _, warning := range c.Warnings {
		fmt.Fprintln(messages, level+warning)
	}
	if o.Strict && len(c.Warnings) > 0 {
		return ExitUsage
	}
	out = escape.NewWriter(out)
	fmt.Fprintf(out, "%s is good\n", file)
	fmt.Fprintf(out, "served: %s\n", strings.Join(slices.Sorted(maps.Keys(c.Modules)), ", "))
	if len(c.Skipped) > 0 {
		var skipped []string
		for _, name := range slices.Sorted(maps.Keys(c.Skipped)) {
			skipped = append(skipped, fmt.Sprintf("%s (%s)", name, c.Skipped[name]))
		}
		fmt.Fprintf(out, "skipped: %s\n", strings.Join(skipped, ", "))
	}
	for _, difference := range c.Differences {
		fmt.Fprintf(out, "different from blackbox_exporter: %s\n", difference)
	}
	return ExitOK
}
