package web

import (
	"cmp"
	"html/template"
	"maps"
	"net/http"
	"slices"

	"github.com/prometheus/common/version"

	"errno_exporter/config"
)

// landing is the page at /: where things are, and a form for a first probe.
type landing struct{ config *config.Current }

var landingPage = template.Must(template.New("landing").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>errno_exporter</title>
</head>
<body>
<h1>errno_exporter</h1>
<p>Probes HTTP APIs and says in which phase a call failed, why, and with which errno. Version {{.Version}}.</p>
<form action="probe" method="get">
<label>Target <input name="target" type="text" size="50" placeholder="https://api.example.com/health" required></label>
<label>Module <select name="module">{{range .Modules}}<option{{if eq . $.Default}} selected{{end}}>{{.}}</option>{{end}}</select></label>
<label><input name="debug" type="checkbox" value="true" checked> for a person</label>
<button>Probe</button>
</form>
<ul>
<li><a href="history">recent probes</a></li>
<li><a href="metrics">metrics of the exporter itself</a></li>
<li><a href="config">running configuration</a></li>
<li><a href="-/healthy">health</a></li>
</ul>
</body>
</html>
`))

func (l landing) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	pageHeaders(w)
	_ = landingPage.Execute(w, struct { // fails only when the asker has gone
		Version, Default string
		Modules          []string
	}{cmp.Or(version.Version, "unversioned"), defaultModule, slices.Sorted(maps.Keys(l.config.Get().Modules))})
}
