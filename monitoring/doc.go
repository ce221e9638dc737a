// Package monitoring carries the runbook, and holds the tests of the rules, routes and dashboards beside it.
package monitoring
