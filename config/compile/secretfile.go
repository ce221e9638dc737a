package compile

import (
	"context"
	"fmt"
	"strings"

	promconfig "github.com/prometheus/common/config"

	"errno_exporter/config/file"
)

// secretReader reads a secret from its file each time, so that a change counts at once; a text is what it is.
func secretReader(text, file string) promconfig.SecretReader {
	if file != "" {
		return fileSecret(file)
	}
	return promconfig.NewInlineSecret(text)
}

// fileSecret is a file whose text is a secret, without what spaces surround it.
type fileSecret string

// Fetch reads the file.
func (f fileSecret) Fetch(context.Context) (string, error) {
	if err := file.CheckRegular(string(f)); err != nil {
		return "", err
	}
	text, err := file.Read(string(f))
	if err != nil {
		return "", fmt.Errorf("unable to read file %s: %w", string(f), err)
	}
	return strings.TrimSpace(string(text)), nil
}

// Description names the file.
func (f fileSecret) Description() string { return "file " + string(f) }

// Immutable is false: the file may change.
func (f fileSecret) Immutable() bool { return false }
