// Package metrics turns Results into samples: one probe's into an Exposition, many of a target's into its Totals.
package metrics
