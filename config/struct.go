package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	promconfig "github.com/prometheus/common/config"
	"gopkg.in/yaml.v3"
)

// strictly reads a mapping into a struct of another package by its yaml tags, without keys it does not know.
func strictly[T any](p place, what string, to *T) key {
	return func(value *yaml.Node) error {
		keys := map[string]key{}
		addFields(p, keys, reflect.ValueOf(to).Elem())
		return p.mapping(value, what, keys)
	}
}

// addFields adds a struct's keys; those of secret managers, which there are none of here, are left out.
func addFields(p place, keys map[string]key, v reflect.Value) {
	for i := range v.NumField() {
		name, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		switch {
		case options == "inline":
			addFields(p, keys, v.Field(i))
		case name == "" || strings.HasSuffix(name, "_ref"):
		case name == "tls_config":
			keys[name] = strictly(p, name, v.Field(i).Addr().Interface().(*promconfig.TLSConfig))
		case hidden(v.Field(i)):
			keys[name] = secretField(p, name, v.Field(i))
		default:
			keys[name] = field(v.Field(i))
		}
	}
}

// hidden reports whether a struct's field may hold a secret, so that no error repeats its value.
func hidden(v reflect.Value) bool {
	switch v.Interface().(type) {
	case promconfig.Secret, []promconfig.Secret, promconfig.URL:
		return true
	}
	return false
}

// secretField reads a value into a struct's field that may hold a secret.
func secretField(p place, name string, v reflect.Value) key {
	return func(value *yaml.Node) error {
		if err := value.Decode(v.Addr().Interface()); err != nil {
			return placedError{p.errorAt(value, "%s: want %s", name, typeName(v.Type()))}
		}
		return nil
	}
}

// field reads a value into a struct's field.
func field(v reflect.Value) key {
	return func(value *yaml.Node) error {
		err := value.Decode(v.Addr().Interface())
		if _, ok := v.Interface().(promconfig.TLSVersion); ok && err != nil {
			return errors.New("want TLS10, TLS11, TLS12 or TLS13")
		}
		if _, ok := errors.AsType[*yaml.TypeError](err); ok {
			return fmt.Errorf("want %s", typeName(v.Type())) // yaml's own words name a line again, and Go's types
		}
		return err
	}
}
