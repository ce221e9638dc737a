// Package incidents runs incidents with real server software, Debian's packages, behind two routers, and counts how
// often the exporter's verdict is right. Its tests write the table of real servers in docs/causes.md.
//
//	site_linux_test.go      the network, the servers' processes and their files
//	exporter_linux_test.go  the exporters that probe, and what they say
//	count_linux_test.go     what is right, unknown and wrong
//	bars_linux_test.go      what fails the test: errors that repeat, or are more than one in a hundred
//	witness_linux_test.go   when the machine had no CPU time to spare
//	table_linux_test.go     the table in docs/causes.md
//	run_linux_test.go       how an incident runs
//	redirect_linux_test.go  what was well before: ports that lead to a healthy server until then
//	nat_linux_test.go       a host whose ports lead to containers
//	limits_linux_test.go    clients that use up queues and limits
//	the other files         the incidents, by server software
package incidents
