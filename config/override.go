package config

import (
	"fmt"
	"net/http"
	"strings"

	"errno_exporter/config/file"
	"errno_exporter/prober/module"
)

// Overrides are what a person at a terminal wants otherwise than the module has it, as curl's options of the same names
// say it.
type Overrides struct {
	Method       string   // empty: POST if there is data, else the module's
	Headers      []string // "Name: value" each; "Name:" removes the module's
	Data         string   // the body, or @FILE
	HasData      bool
	AllAddresses bool
	Connection   Connection
}

// Apply returns a module that is changed by the overrides. The error says which of them cannot be.
func (o Overrides) Apply(m *module.Module) (*module.Module, error) {
	changed := *m
	changed.Header = m.Header.Clone()
	changed.AllAddresses = m.AllAddresses || o.AllAddresses
	if o.HasData {
		changed.Method, changed.Body = http.MethodPost, []byte(o.Data)
		if path, isFile := strings.CutPrefix(o.Data, "@"); isFile {
			body, err := file.Read(path)
			if err != nil {
				return nil, fmt.Errorf("-d %s: %w", o.Data, err)
			}
			changed.Body = body
		}
		if changed.Header.Get("Content-Type") == "" {
			changed.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
	}
	if o.Method != "" {
		if err := checkMethod(o.Method); err != nil {
			return nil, fmt.Errorf("-X %q: %w", o.Method, err)
		}
		changed.Method = o.Method
	}
	for _, header := range o.Headers {
		if err := overrideHeader(&changed, header); err != nil {
			return nil, fmt.Errorf("-H %q: %w", header, err)
		}
	}
	if err := o.Connection.apply(&changed); err != nil {
		return nil, err
	}
	return &changed, nil
}

// overrideHeader sets a header, or removes the module's.
func overrideHeader(m *module.Module, header string) error {
	name, value, found := strings.Cut(header, ":")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !found {
		return fmt.Errorf(`there is no colon in it, want "Name: value"`)
	}
	if err := module.CheckHeader(name, value); err != nil {
		return err
	}
	switch {
	case strings.EqualFold(name, "Host"):
		host, err := module.ASCIIHostHeader(value)
		if err != nil {
			return err
		}
		m.Host = host
	case value == "":
		m.Header.Del(name)
	default:
		m.Header.Set(name, value)
	}
	return nil
}
