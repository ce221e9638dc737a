// Package lint has tests of what no program of ours runs: the workflows, by actionlint and by our own rules, and what
// the packages that other programs may embed export, by apidiff.
package lint
