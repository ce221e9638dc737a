// Package metrics turns Results into samples. Probe is a pure function: the same record gives the same samples, and nothing
// is kept between probes.
package metrics
