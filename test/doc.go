// Package test is where tests of the whole program stand together: endtoend (the built program, with a real Prometheus
// and Alertmanager), sidebyside (with blackbox_exporter), incident (what really happens to connections, in network
// namespaces), accuracy (phases compared with a packet capture), cost (CPU and memory beside other programs).
package test
