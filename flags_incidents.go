package main

import (
	"fmt"

	"github.com/alecthomas/kingpin/v2"

	"errno_exporter/internal/cli"
)

const commandIncidents = "incidents"

// maxSuccesses is the most that may be wanted to end an incident.
const maxSuccesses = 1000

// incidentsShows are the flags of the exporter that the command incidents uses.
var incidentsShows = []string{"storage.path", "help", "version"}

func successesFlag(app *kingpin.Application, o *options) {
	app.Flag("incidents.successes",
		"Number of successes in a row that end a target's incident, 1 to 1000. It ends when the first of them began.").
		Default("3").IntVar(&o.incidentSuccesses)
}

func (o *options) resolveSuccesses() error {
	if o.incidentSuccesses < 1 || o.incidentSuccesses > maxSuccesses {
		return fmt.Errorf("--incidents.successes %d is out of range, want 1 to %d", o.incidentSuccesses, maxSuccesses)
	}
	return nil
}

func incidentsFlags(app *kingpin.Application, o *cli.IncidentsOptions) {
	c := app.Command(commandIncidents, "Print what failed, when and why: the incidents of the store at --storage.path, "+
		"the newest first. It may be that of a running exporter, or a copy.\n\n"+
		"Exits with 0, or 1 if the command line is invalid or the store cannot be read.")
	c.Flag("target", "Name of a configured target. Defaults to all.").StringVar(&o.Target)
	c.Flag("cause", "Cause of the verdict, such as server_aborts. Defaults to all.").StringVar(&o.Cause)
	c.Flag("since", "Incidents that ended since then or last: a time such as 2026-11-21T03:12:00Z, or 12h or 7d for so "+
		"long ago. Defaults to all.").StringVar(&o.Since)
	c.Flag("output", "Output format: text, or json (one line with all that is known of each).").
		Short('o').Default("text").EnumVar(&o.Output, "text", "json")
}
