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

// completionScripts ask the program for the words that may come next, as kingpin's script for bash does. Kingpin has
// none for fish. Its script for zsh completes no value after an equals sign, and nothing the first time in a function
// path.
var completionScripts = map[string]string{
	"--completion-script-zsh": `#compdef errno_exporter
_errno_exporter() {
    local -a candidates
    candidates=(${(f)"$(${words[1]} --completion-bash "${(@)words[2,CURRENT]}" 2>/dev/null)"})
    compset -P '--[^=]##='
    if (( $#candidates )); then compadd -a candidates; else _files; fi
}
if [[ ${funcstack[1]} = _errno_exporter ]]; then _errno_exporter "$@"; else compdef _errno_exporter errno_exporter; fi
`,
	"--completion-script-fish": `function __errno_exporter_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l flag (string match -r -- '^--[^=]+=' $words[-1])
    for word in (errno_exporter --completion-bash $words[2..-1] 2>/dev/null)
        echo -- "$flag$word"
    end
end
complete -c errno_exporter -f -a '(__errno_exporter_complete)'
complete -c errno_exporter -l config.file -l web.config.file -l cacert -l storage.path -r -F
complete -c errno_exporter -n '__fish_seen_subcommand_from check-config' -F
`,
}

// completionFlags are the scripts, and the values that only the configuration knows. It returns the command line, which
// is another one where it is to be completed.
func completionFlags(app *kingpin.Application, o *options, args []string) []string {
	if len(args) == 1 && completionScripts[args[0]] != "" {
		fmt.Fprint(o.output, completionScripts[args[0]]) // Output has the error
		os.Exit(o.output.Status(0, o.messages))
	}
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
// name or after an equals sign, which bash makes a word of its own, and no flag where only a dash is typed.
func completed(app *kingpin.Application, args []string) []string {
	model := app.Model()
	flags := slices.Clone(model.Flags)
	for _, c := range model.Commands {
		if slices.Contains(args, c.Name) {
			flags = append(flags, c.Flags...)
		}
	}
	args = slices.DeleteFunc(slices.Clone(args), func(word string) bool { return word == "=" })
	if name, value, typed := strings.Cut(args[len(args)-1], "="); typed && strings.HasPrefix(name, "--") {
		args = append(args[:len(args)-1], name, value)
	}
	for i, word := range args {
		for _, f := range flags {
			if f.Short != 0 && word == "-"+string(f.Short) && i < len(args)-1 {
				args[i] = "--" + f.Name
			}
		}
	}
	last := len(args) - 1
	if args[last] == "-" {
		args[last] = "--"
	}
	for _, f := range flags {
		if last > 0 && args[last-1] == "--"+f.Name && !f.IsBoolFlag() && unlisted(app, args, f.Name) {
			os.Exit(0) // the shell completes files
		}
	}
	return args
}

// unlisted reports whether a flag's values are not listed: kingpin then prints the names of the commands.
func unlisted(app *kingpin.Application, args []string, flag string) bool {
	const none = "\x00" // is the value of no flag
	_, is, unlisted := app.FlagCompletion(flag, none)
	for _, word := range args {
		if c := app.GetCommand(word); c != nil && !is {
			_, is, unlisted = c.FlagCompletion(flag, none)
		}
	}
	return is && unlisted
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
