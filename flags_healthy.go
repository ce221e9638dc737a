package main

import (
	"github.com/alecthomas/kingpin/v2"

	"errno_exporter/internal/cli"
)

// healthyShows are the flags of the exporter that the command healthy uses.
var healthyShows = []string{"web.listen-address", "web.config.file", "web.external-url", "web.route-prefix", "help",
	"version"}

func healthyFlags(app *kingpin.Application) {
	app.Command(commandHealthy, "Ask the running exporter for /-/healthy, and print one line: the health check of a "+
		"container without a shell. It connects where --web.listen-address of the exporter says, over TLS where "+
		"that is expected, under --web.route-prefix.\n\n"+
		"Exits with 0, or 1 if there is no answer within two seconds.")
}

// healthy runs the command healthy.
func healthy(o *options) int {
	return cli.Healthy(&cli.HealthyOptions{Addresses: *o.web.WebListenAddresses, TLS: *o.web.WebConfigFile != "",
		RoutePrefix: o.routePrefix}, o.output, o.messages)
}
