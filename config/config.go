// Package config turns exporter.yml into resolved, validated, immutable values: everything that can be wrong is wrong
// at load, and everything that depends only on the module is built there once.
package config

import (
	"errno_exporter/prober/module"
)

// Config is one loaded configuration. It is never changed after Load.
type Config struct {
	File    string // where it came from; empty for Default
	Modules map[string]*module.Module
	Targets []*Target // in the file's order; with shards those of this one
	Policy  Policy
	Observe *Observe // nil: the application's connections are not observed

	Shard        Shard     // which shard the configuration is of: InShard
	OtherTargets []*Target // that belong to other shards: they are probed by /probe alone

	Skipped  map[string]string // the modules of other probers: module to prober; of Default nil
	Warnings []string          // what is accepted and probably not meant, in the file's order

	missing     []string // files that some module cannot be built without, until they can be read
	Differences []string // what modules do otherwise than with blackbox_exporter, because of their keys

	TargetFilesFailed int // files of target_files that could not be used, and whose targets stay as they were

	ReferenceTargets []*ReferenceTarget // reference targets: whether they are reachable decides whether egress works

	dir            string // what file names are relative to
	targetPatterns []string
	targetFiles    []targetFile

	shown       func() []byte // what may be shown of it, which is made when it is first asked for
	fingerprint Fingerprint   // of the files it was loaded from
}
