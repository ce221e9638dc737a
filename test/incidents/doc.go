// Package incidents runs incidents with real server software, Debian's packages, behind two routers, and counts how
// often the exporter's verdict is right. Its tests write the table of real servers in docs/causes.md.
//
//	site_linux_test.go      the network, the servers' processes and their files
//	exporter_linux_test.go  the exporters that probe, and what they say
//	count_linux_test.go     what is right, unknown and wrong, the bars, and the table
//	run_linux_test.go       how an incident runs
//	the other files         the incidents, by server software
package incidents
