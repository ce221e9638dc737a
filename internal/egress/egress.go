// Package egress has the one rule of whether our own outbound connectivity is at fault. Verdicts and the status page
// call it; the recording rule vantage:probe_egress_down:bool (monitoring/recording.yml) is the same in PromQL, and a
// test compares the two.
//
// Read rule.go for the rule, reference.go for how reference targets are checked, and shared.go for what unrelated
// networks show of losses.
package egress
