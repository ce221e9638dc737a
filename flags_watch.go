package main

import (
	"github.com/alecthomas/kingpin/v2"

	"errno_exporter/internal/cli"
)

func watchFlags(app *kingpin.Application, o *cli.WatchOptions) {
	c := app.Command(commandWatch, "Watch the connections of the other processes in this network namespace to targets: "+
		"a line for each that ends, with who ended it and how long it had been idle, and a table of those that are "+
		"open. Linux only; needs no privilege.\n\n"+
		"Exits with 0, or 1 if the command line or the configuration is invalid or the kernel refuses.")
	c.Arg("target", "Name of a configured target, URL, or HOST:PORT. Defaults to all configured targets.").
		StringsVar(&o.Targets)
	c.Flag("interval", "Time between two updates of the table, or two lines of JSON for each target.").
		Short('i').Default("1s").DurationVar(&o.Interval)
	c.Flag("duration", "Time to watch; 0 continues until Ctrl-C.").Default("0s").DurationVar(&o.Duration)
	c.Flag("output", "Output format: text, or json (a line per end, and per target every --interval).").
		Short('o').Default("text").EnumVar(&o.Output, "text", "json")
}
