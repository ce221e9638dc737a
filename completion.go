package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"errno_exporter/config"
)

// fishCompletion asks the program for the words that may come next, as the scripts for bash and zsh do.
const fishCompletion = `function __errno_exporter_complete
    set -l words (commandline -opc) (commandline -ct)
    errno_exporter --completion-bash $words[2..-1]
end
complete -c errno_exporter -f -a '(__errno_exporter_complete)'
complete -c errno_exporter -l config.file -l web.config.file -l cacert -r -F
`

// completionFlags are the flag that prints fish's script, and the values that only the configuration knows. It returns
// the command line, which is another one where it is to be completed.
func completionFlags(app *kingpin.Application, o *options, args []string) []string {
	app.Flag("completion-script-fish", "Generate completion script for fish.").Hidden().
		PreAction(func(*kingpin.ParseContext) error {
			fmt.Fprint(o.output, fishCompletion) // Output has the error
			os.Exit(o.output.Status(0, o.messages))
			return nil
		}).Bool()
	targets := func() []string {
		var names []string
		for _, t := range o.completing().Targets {
			names = append(names, t.Name)
		}
		return plain(names)
	}
	app.GetCommand(commandWatch).GetArg("target").HintAction(targets)
	c := app.GetCommand(commandProbe)
	c.GetArg("url").HintAction(targets)
	c.GetFlag("module").HintAction(func() []string {
		return plain(slices.Sorted(maps.Keys(o.completing().Modules)))
	})
	if len(args) > 0 && args[0] == completionFlag {
		return completed(app, args)
	}
	app.GetCommand(commandServe).Default() // of a default command no other one is completed
	return args
}

// completionFlag is how the shells' scripts ask for the words that may come next.
const completionFlag = "--completion-bash"

// completed is a command line that is to be completed, as kingpin understands it: it knows no value of a flag's short
// name, and no flag where only a dash is typed.
func completed(app *kingpin.Application, args []string) []string {
	model := app.Model()
	flags := slices.Clone(model.Flags)
	for _, c := range model.Commands {
		if slices.Contains(args, c.Name) {
			flags = append(flags, c.Flags...)
		}
	}
	args = slices.Clone(args)
	for i, word := range args {
		for _, f := range flags {
			if f.Short != 0 && word == "-"+string(f.Short) && i < len(args)-1 {
				args[i] = "--" + f.Name
			}
		}
	}
	if last := len(args) - 1; args[last] == "-" {
		args[last] = "--"
	}
	return args
}

// plain are the names that a shell takes for themselves: bash's compgen expands the words it is given.
func plain(names []string) []string {
	return slices.DeleteFunc(names, func(name string) bool {
		return strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@") != ""
	})
}

// completing is the configuration whose names are completed; the built-in one where the file cannot be used.
func (o *options) completing() *config.Config {
	loaded, err := config.Load(o.configFile)
	if err != nil {
		return config.Default()
	}
	return loaded
}

// manPage is kingpin's template of the man page with a header and a name as man(7) and whatis(1) want them: the version
// is one line, and the sections have titles.
func manPage(template, version, summary string) string {
	return strings.NewReplacer(
		`.TH {{.App.Name}} 1 {{.App.Version}} "{{.App.Author}}"`,
		`.TH ERRNO_EXPORTER 1 "" "errno_exporter `+version+`" "User Commands"`,
		".SH \"NAME\"\n{{.App.Name}}\n", ".SH \"NAME\"\nerrno_exporter \\- "+summary+"\n",
	).Replace(template)
}
