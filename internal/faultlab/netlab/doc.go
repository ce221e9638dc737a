// Package netlab makes the faults that need a network of their own: routes, firewalls, routers' ICMP, black holes,
// hosts that are gone, exhausted ports. It is for tests, on Linux, as root.
//
// A Net is four network namespaces in a row, joined by veth pairs, with IPv4 and IPv6:
//
//	c —(10.9.1.0/24, fd09:1::/64)— r1 —(10.9.2.0/24, fd09:2::/64)— r2 —(10.9.3.0/24, fd09:3::/64)— s
//
// The probe runs in c, the server in s, and each row of failures.md is a Fault: a constructor whose doc comment says
// what happens on the wire. A Fault is applied to a Net of its own, so that faults can run side by side. Nothing
// outside the namespaces is changed. The namespaces are removed by the test's Cleanup; those of a test binary that was
// killed are removed by the next one.
//
// On other systems the package is empty.
package netlab
