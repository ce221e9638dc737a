// Package deploy holds the tests of the units and manifests beside it; tools/deploy reads them as Kubernetes and
// compose do.
package deploy
