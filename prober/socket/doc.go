// Package socket is about sockets: ICMP messages on their error queues (icmp_linux.go), and addresses (address.go).
package socket
