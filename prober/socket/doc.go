// Package socket makes one connection and records what the operating system reports about it: each read and write with
// its bytes, duration and errno, the kernel's packet timestamps, TCP_INFO, and ICMP messages from the error queue. It
// classifies no failure and does not depend on HTTP. Read it in this order:
//
//	connect.go        Connect: what is wanted of a connection, and what is known after a success or a failure
//	dial_linux.go     the system calls that make a connection; dial_other.go: package net's dialer
//	conn_linux.go     a connection with its own file descriptor, and the kernel's keepalive of it
//	recorder.go       the Recorder, which sits under TLS and net/http: reads, writes, the first error and its errno
//	ending.go         how the Recorder ends: the deadline of the probe, and the close
//	recorded.go       what the Recorder has recorded
//	timestamps.go     when a request was sent and acknowledged, by the kernel; clock.go makes durations of it
//	tcpinfo_linux.go  TCP_INFO
//	icmp_linux.go     ICMP messages from the error queue
//	address.go        addresses of endpoints
//
// Files that end in _linux.go have a counterpart that ends in _other.go: on other systems there are only the errors of
// package net and the times of the process's own clock.
package socket
