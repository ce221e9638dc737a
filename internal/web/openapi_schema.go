package web

import (
	"maps"
	"reflect"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
)

// schemaOf is the JSON schema of a type's values as encoding/json writes them. The type is not recursive.
func schemaOf(t reflect.Type) object {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case t == reflect.TypeFor[ulid.ULID]():
		return object{"type": "string"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem())
	case reflect.Slice:
		return object{"type": "array", "items": schemaOf(t.Elem())}
	case reflect.Struct:
		return object{"type": "object", "properties": propertiesOf(t)}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Float64:
		return object{"type": "number"}
	default:
		return object{"type": "integer"}
	}
}

// propertiesOf are the fields of a struct, with those of embedded ones.
func propertiesOf(t reflect.Type) object {
	properties := object{}
	for i := range t.NumField() {
		field := t.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		embedded := field.Type
		if embedded.Kind() == reflect.Pointer {
			embedded = embedded.Elem()
		}
		switch {
		case field.Anonymous && name == "":
			maps.Copy(properties, propertiesOf(embedded))
		case name != "-":
			properties[name] = schemaOf(field.Type)
		}
	}
	return properties
}
