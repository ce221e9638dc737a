package config

import (
	"slices"
	"sync"
	"sync/atomic"

	"errno_exporter/config/file"
)

// Current is the configuration in force. Probes take it once and keep it; a reload replaces it for those that come
// after.
type Current struct {
	config atomic.Pointer[Config]

	mu   sync.Mutex  // guards last
	last Fingerprint // of the files when they were last loaded, for good or bad

	lastTargets Fingerprint // of target_files
}

// NewCurrent returns a Current that holds c.
func NewCurrent(c *Config) *Current {
	current := new(Current)
	current.config.Store(c)
	if c.File != "" {
		current.last = c.fingerprint
	}
	current.lastTargets = c.targetFingerprint()
	return current
}

// Get returns the configuration in force.
func (c *Current) Get() *Config { return c.config.Load() }

// Reload loads the file and puts it in force. After an error the running configuration stays as it is.
func (c *Current) Reload(path string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	written, fingerprint := read(path)
	c.last = fingerprint
	c.lastTargets = c.Get().targetFingerprint()
	loaded, err := load(path, written, c.Get())
	if err != nil {
		return err
	}
	if !slices.Equal(loaded.targetPatterns, c.Get().targetPatterns) {
		c.lastTargets = loaded.targetFingerprint()
	}
	c.config.Store(loaded.InShard(c.Get().Shard))
	return nil
}

// Changed reports whether the file, or one that it names, is not what it was when it was last loaded, or when loading
// it failed.
func (c *Current) Changed(path string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return FingerprintOf(path) != c.last
}

// Arrived reports whether a file that a module waits for can be read now. It takes a reload to use it.
func (c *Current) Arrived() bool {
	for _, path := range c.Get().missing {
		if _, err := file.Read(path); err == nil {
			return true
		}
	}
	return false
}

// TargetsChanged reports whether one of target_files is not what it was when they were last read.
func (c *Current) TargetsChanged() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Get().targetFingerprint() != c.lastTargets
}
