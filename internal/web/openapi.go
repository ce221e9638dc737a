package web

import (
	"cmp"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/version"

	"errno_exporter/internal/escape"
	"errno_exporter/internal/incident"
	"errno_exporter/internal/record"
)

// The description of the endpoints at /api, in OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0). Its parameters are
// those that the handlers know, and its lists of values those that they accept.

// The media types of answers.
const (
	asHTML  = "text/html"
	asJSON  = "application/json"
	asText  = "text/plain"
	asAtom  = "application/atom+xml"
	asProto = "application/openmetrics-text"
)

// operation is what a path answers to a method.
type operation struct {
	path, method, summary string
	parameters            []string     // of the query, beside those in the path
	strict                []string     // the same, where others are 400
	answers               []string     // media types
	schema                int          // version of the JSON; 0 where it has none
	body                  reflect.Type // of the JSON; nil where only its version is described
	errors                []int
}

// operations are all operations, by path.
func operations() []operation {
	return []operation{
		{path: "/", method: "get", summary: "The status of all targets, the failing ones first", strict: statusParameters,
			answers: []string{asHTML, asJSON}},
		{path: "/targets/{name}", method: "get", summary: "One target over time: its state, the facts of its last probe, " +
			"its results, incidents and records", strict: []string{"format"}, answers: []string{asHTML, asJSON, asText},
			schema: targetSchema, errors: []int{404}},
		{path: "/targets/{name}", method: "post", summary: "Probe or diagnose the target now, then redirect to the record",
			errors: []int{303, 400, 403, 404, 429, 503}},
		{path: "/incidents", method: "get", summary: "Incidents in groups, the newest first", strict: incidentParameters,
			answers: []string{asHTML, asJSON, asText}, schema: incident.Schema, body: reflect.TypeFor[incidentList]()},
		{path: "/incidents/{id}", method: "get", summary: "One incident; with download=1 as a file",
			strict: []string{"format", "download"}, answers: []string{asHTML, asJSON, asText}, schema: incident.Schema,
			body: reflect.TypeFor[incidentPage](), errors: []int{404}},
		{path: "/incidents/latest", method: "get", summary: "Redirects to the incident of a target that lasts, or lasted " +
			"at a time, or else to the last one before", strict: latestParameters, errors: []int{302, 404}},
		{path: "/incidents.atom", method: "get", summary: "The newest incidents as an Atom feed", strict: feedParameters,
			answers: []string{asAtom}},
		{path: "/history", method: "get", summary: "Records of probes, the newest first", strict: listParameters,
			answers: []string{asHTML, asJSON, asText}, schema: record.Schema},
		{path: "/history/{id}", method: "get", summary: "One record, by its ID or its trace ID", strict: []string{"format"},
			answers: []string{asHTML, asJSON, asText}, schema: record.Schema, errors: []int{404}},
		{path: "/logs", method: "get", summary: "A record by its ID, or the latest of a target, as in blackbox_exporter",
			parameters: []string{"id", "target", "module"}, answers: []string{asText}, errors: []int{400, 404}},
		{path: "/probe", method: "get", summary: "Probe a target now, and answer with its metrics",
			parameters: []string{"target", "module", "hostname", "debug"}, answers: []string{asText, asProto},
			errors: []int{400, 403, 503, 508}},
		{path: "/probe", method: "post", summary: "The same, as blackbox_exporter has it",
			parameters: []string{"target", "module", "hostname", "debug"}, answers: []string{asText, asProto},
			errors: []int{400, 403, 503, 508}},
		{path: "/metrics", method: "get", summary: "Probe every configured target, and answer with all metrics",
			answers: []string{asText, asProto}, errors: []int{400, 503, 508}},
		{path: "/sd", method: "get", summary: "The configured targets, for Prometheus' HTTP service discovery",
			answers: []string{asJSON}},
		{path: "/config", method: "get", summary: "The running configuration, secrets masked", answers: []string{asText}},
		{path: "/docs", method: "get", summary: "Redirects to the documents", errors: []int{302}},
		{path: "/docs/", method: "get", summary: "The documents of this version", answers: []string{asHTML}},
		{path: "/docs/{name}", method: "get", summary: "One document", answers: []string{asHTML}, errors: []int{404}},
		{path: "/api", method: "get", summary: "This description", answers: []string{asJSON}},
		{path: "/-/healthy", method: "get", summary: "Whether the exporter runs", answers: []string{asText}},
		{path: "/-/ready", method: "get", summary: "Whether it takes requests", answers: []string{asText},
			errors: []int{503}},
		{path: "/-/reload", method: "post", summary: "Load the configuration again", answers: []string{asText},
			errors: []int{403, 500}},
		{path: "/-/reload", method: "put", summary: "The same", answers: []string{asText}, errors: []int{403, 500}},
	}
}

// parameterValues are the closed lists of parameters, and what those without one are.
func parameterValues(name, path string) (values []string, description string) {
	switch name {
	case "cause":
		return causes(), "the verdict's cause"
	case "phase":
		return phases(), "where it failed"
	case "reason":
		return reasons(), "why it failed"
	case "state":
		return statusStates, "of targets"
	case "sort":
		return statusSorts, "by what lines are sorted"
	case "download":
		return []string{"1"}, "as an attachment; HTML is then one file that loads nothing"
	case "format":
		if path == "/" {
			return statusFormats, "of the answer"
		}
		return []string{"html", "json", "text"}, "of the answer"
	}
	return nil, map[string]string{"target": "a configured name, or a URL where one may be probed or recorded",
		"module": "its name", "errno": "such as ECONNRESET", "since": "RFC 3339, or 1h for an hour ago",
		"until": "RFC 3339, or 1h for an hour ago", "limit": "of incidents, 1 to 1000", "failing": "1 for failures only",
		"q": "a text in a target's name, URL, module or labels", "group": "cause, none, or the name of a label",
		"at": "RFC 3339, or 1h for an hour ago: the status at that time; for an incident also Unix seconds or " +
			"milliseconds", "id": "a record's", "name": "the configured name",
		"hostname": "the Host header and TLS server name", "debug": "true for the record instead of metrics"}[name]
}

// object is a JSON object.
type object = map[string]any

// describeParameter describes a parameter.
func describeParameter(name, in, path string) object {
	values, description := parameterValues(name, path)
	schema := object{"type": "string"}
	if len(values) > 0 {
		schema["enum"] = values
	}
	p := object{"name": name, "in": in, "description": description, "schema": schema}
	if in == "path" {
		p["required"] = true
	}
	return p
}

func (o *operation) describe() object {
	parameters := []object{}
	for part := range strings.SplitSeq(o.path, "/") {
		if name, is := strings.CutPrefix(part, "{"); is {
			parameters = append(parameters, describeParameter(strings.TrimSuffix(name, "}"), "path", o.path))
		}
	}
	for _, name := range slices.Concat(o.parameters, o.strict) {
		parameters = append(parameters, describeParameter(name, "query", o.path))
	}
	responses, content := object{}, object{}
	for _, media := range o.answers {
		content[media] = object{}
		if media == asJSON && o.schema > 0 {
			properties := object{}
			if o.body != nil {
				properties = propertiesOf(o.body)
			}
			properties["schema"] = object{"const": o.schema,
				"description": "rises when a field is removed or changes its meaning"}
			content[media] = object{"schema": object{"type": "object", "required": []string{"schema"}, "properties": properties}}
		}
	}
	if len(content) > 0 {
		responses["200"] = object{"description": o.summary, "content": content}
	}
	errors := o.errors
	if o.strict != nil {
		errors = append([]int{400}, errors...)
	}
	for _, status := range errors {
		responses[strconv.Itoa(status)] = object{"description": http.StatusText(status)}
	}
	described := object{"summary": o.summary, "parameters": parameters, "responses": responses}
	if o.path == "/targets/{name}" && o.method == "post" {
		described["requestBody"] = object{"required": true, "content": object{"application/x-www-form-urlencoded": object{
			"schema": object{"type": "object", "required": []string{"action"}, "properties": object{
				"action": object{"enum": []string{"probe", "diagnose"}}}}}}}
	}
	return described
}

// api answers /api.
func (e *Endpoints) api(w http.ResponseWriter, r *http.Request) {
	paths := map[string]object{}
	for _, o := range operations() {
		if paths[o.path] == nil {
			paths[o.path] = object{}
		}
		paths[o.path][o.method] = o.describe()
	}
	w.Header().Set("Content-Type", asJSON)
	_ = json.NewEncoder(escape.NewWriter(w)).Encode(object{ // fails only if the client is gone
		"openapi": "3.1.0",
		"info":    object{"title": "errno_exporter", "version": cmp.Or(version.Version, "unversioned")},
		"servers": []object{{"url": cmp.Or(e.outside(r), "/")}},
		"paths":   paths,
	})
}
