// Package docs carries the documents of its folder, so that the exporter serves them itself.
package docs

import "embed"

// Files are the documents, by the names of their files.
//
//go:embed *.md
var Files embed.FS
