// Package cli is the terminal: the commands probe and check-config, and how a probe is printed.
//
//		probe.go      the command probe: what to probe, and how often
//		keepalive.go  its --keepalive: connections that are left idle, then used again
//		find.go       its --keepalive find: for how long idle connections live
//		check.go      the command check-config
//		healthy.go    the command healthy
//		incidents.go  the command incidents
//		print.go      a probe as bars, as one line, and the verdict on it
//		json.go       a probe as one line of JSON
//		summary.go    many probes in a table
//
//	  - Results go to standard output, progress and errors to standard error.
//	  - Colour, and lines that are overwritten, are for terminals only. Without them every line is complete in itself.
//	  - What a server sends stays text: nothing in it can move the cursor or change a colour.
package cli
