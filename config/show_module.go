package config

import "gopkg.in/yaml.v3"

// ModuleYAML is a module as YAML shows it, with its aliases replaced by what they stand for; empty if there is none of
// that name.
func (c *Config) ModuleYAML(name string) string {
	var written struct {
		Modules map[string]any `yaml:"modules"`
	}
	if err := yaml.Unmarshal(c.YAML(), &written); err != nil || written.Modules[name] == nil {
		return ""
	}
	text, err := yaml.Marshal(written.Modules[name])
	if err != nil {
		return ""
	}
	return string(text)
}
