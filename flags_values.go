package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
)

// routes parses the external URL, nil if there is none, and the prefix of the endpoints' paths: "/", or one without a
// slash at its end.
func routes(externalURL, prefix string) (*url.URL, string, error) {
	var external *url.URL
	if externalURL != "" && !strings.HasPrefix(externalURL, "/") {
		u, err := url.Parse(externalURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" ||
			u.Fragment != "" {
			return nil, "", fmt.Errorf("--web.external-url %q is not the exporter's URL, want one such as "+
				"https://probe.example.com/errno",
				externalURL)
		}
		external, prefix = u, cmp.Or(prefix, u.Path)
	} else if strings.HasPrefix(externalURL, "/") { // of whatever host, as in blackbox_exporter
		prefix = cmp.Or(prefix, externalURL)
	}
	prefix = "/" + strings.Trim(prefix, "/")
	if prefix != path.Clean(prefix) || strings.ContainsAny(prefix, "{}?# \t") {
		return nil, "", fmt.Errorf("--web.route-prefix %q is not a path, want one such as /errno", prefix)
	}
	return external, prefix, nil
}

// reloadInterval parses a duration, or seconds as blackbox_exporter writes them.
func reloadInterval(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if seconds, number := strconv.Atoi(text); number == nil {
		d, err = time.Duration(seconds)*time.Second, nil
	}
	if err != nil || d < minReloadInterval || d > maxReloadInterval {
		return 0, fmt.Errorf(`--config.auto-reload-interval %q is not an interval, want one from %s to 24h such as "30s"`,
			text, minReloadInterval)
	}
	return d, nil
}

// The interval of rounds of probes.
const (
	minProbeInterval  = time.Second
	maxProbeInterval  = 24 * time.Hour
	demoProbeInterval = 15 * time.Second // unless the user gives one
)

// resolveInterval validates the interval of rounds.
func (o *options) resolveInterval() error {
	if o.probeInterval != 0 && (o.probeInterval < minProbeInterval || o.probeInterval > maxProbeInterval) {
		return fmt.Errorf("--probe.interval %s is out of range, want 0s for none, or 1s to 24h", o.probeInterval)
	}
	if o.demo && !o.intervalGiven {
		o.probeInterval = demoProbeInterval
	}
	return nil
}

// parsed is the command that a command line has. The error names the flag and what it has to be.
func parsed(app *kingpin.Application, args []string) (string, error) {
	if name := withoutValue(app, args); name != "" {
		return "", fmt.Errorf("--%s has no value, want --%s=VALUE", name, name)
	}
	command, err := app.Parse(args)
	if err != nil {
		err = fmt.Errorf("%s%w", flagNamed(app, args), inWords(err))
	}
	return command, err
}

// flagNamed names the flag, with its value and a colon, whose value cannot be parsed; empty if there is none. kingpin's
// own errors are the parsers' alone.
func flagNamed(app *kingpin.Application, args []string) string {
	parsed, err := app.ParseContext(args)
	if err != nil {
		return ""
	}
	for _, element := range parsed.Elements {
		if flag, ok := element.Clause.(*kingpin.FlagClause); ok && element.Value != nil {
			if model := flag.Model(); model.Value.Set(*element.Value) != nil {
				return fmt.Sprintf("--%s %q: ", model.Name, *element.Value)
			}
		}
	}
	return ""
}

// withoutValue is the name of the exporter's flag whose value is missing, empty if there is none. kingpin has an error
// for it, and drops it where there is a default command: the flag would count as not given.
func withoutValue(app *kingpin.Application, args []string) string {
	if len(args) > 0 && args[0] == completionFlag { // the command line is not at its end
		return ""
	}
	for i, arg := range args {
		if arg == "--" {
			break
		}
		name, long := strings.CutPrefix(arg, "--")
		flag := app.GetFlag(name)
		if !long || flag == nil || flag.Model().IsBoolFlag() {
			continue
		}
		if i+1 == len(args) || strings.HasPrefix(args[i+1], "-") && args[i+1] != "-" {
			return name
		}
	}
	return ""
}

// inWords says what a value has to be, in place of what Go's parsers of numbers and durations say.
func inWords(err error) error {
	switch number, ok := errors.AsType[*strconv.NumError](err); {
	case strings.HasPrefix(err.Error(), "time: "):
		return errors.New(`want a duration such as "5s"`)
	case !ok:
		return err
	case number.Func == "ParseBool":
		return errors.New("want true or false")
	case errors.Is(err, strconv.ErrRange):
		return errors.New("is out of range")
	default:
		return errors.New("want a number")
	}
}
