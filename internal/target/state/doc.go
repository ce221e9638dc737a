// Package state is the values of what is known of a target across scrapes: what was counted of it, what became of its
// idle connections, and its results over time. Metrics, records and pages read these values without the prober.
//
// Read totals.go first; histogram.go and idle.go are its parts.
package state
