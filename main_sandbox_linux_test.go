//go:build amd64 || arm64

package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"errno_exporter/internal/faultlab/sandbox"
)

// program is the exporter, in a sandbox where the environment wants one.
func program() {
	if os.Getenv(deniedVariable) == "netlink" {
		if err := sandbox.Deny(unix.EPERM, sandbox.OpenSocket(unix.AF_NETLINK)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	main()
}
