package config

import (
	"errno_exporter/prober/module"
)

// DefaultModule is the name of the module that is used when none is asked for.
const DefaultModule = "http_2xx"

// Default is the configuration without a file: the module http_2xx with every default.
func Default() *Config {
	return &Config{
		Modules: map[string]*module.Module{DefaultModule: module.New(DefaultModule)},
		Policy:  DefaultPolicy(),
		shown:   func() []byte { return []byte("modules:\n    " + DefaultModule + ":\n        prober: http\n") },
	}
}
