// Package metrics turns values into samples: results, what was counted of a target, verdicts, and the exporter's own
// state.
package metrics
