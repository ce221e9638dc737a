package cli

import (
	"fmt"
	"io"

	"errno_exporter/config"
	"errno_exporter/internal/escape"
)

// Check loads a configuration file, prints what is wrong with it, and returns the exit status.
func Check(file string, out, messages io.Writer) int {
	if _, err := config.Load(file); err != nil {
		fmt.Fprintln(messages, err)
		return ExitUsage
	}
	fmt.Fprintf(escape.NewWriter(out), "%s is good\n", file)
	return ExitOK
}
