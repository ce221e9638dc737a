// Package application runs applications with the connection pools of Python, Node, Go and Java against servers and
// middleboxes that end connections, and compares what the exporter says of each end with a packet capture and with the
// applications' own exceptions.
//
//	application_linux_test.go  the test
//	capture_linux_test.go      how connections ended, by a packet capture
//	servers_linux_test.go      the servers and the NAT
//	programs_linux_test.go     the applications, and the exporters that watch them
package application
