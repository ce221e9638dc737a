package config

import "sync/atomic"

// Current is the configuration in force. Probes take it once and keep it; a reload replaces it for those that come after.
type Current struct{ config atomic.Pointer[Config] }

// NewCurrent returns a Current that holds c.
func NewCurrent(c *Config) *Current {
	current := new(Current)
	current.config.Store(c)
	return current
}

// Get returns the configuration in force.
func (c *Current) Get() *Config { return c.config.Load() }

// Reload loads the file and puts it in force. After an error the running configuration stays as it is.
func (c *Current) Reload(path string) error {
	loaded, err := Load(path)
	if err != nil {
		return err
	}
	c.config.Store(loaded)
	return nil
}
