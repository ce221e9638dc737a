// Package endtoend holds the tests that run the built exporter with the real programs around it: Prometheus,
// Alertmanager.
package endtoend
