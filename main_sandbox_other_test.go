//go:build !linux || (!amd64 && !arm64)

package main

// program is the exporter: there is no sandbox here.
func program() { main() }
