package monitoring

import "embed"

// Files has the runbook, runbook.md.
//
//go:embed runbook.md
var Files embed.FS
