package main

import (
	"github.com/alecthomas/kingpin/v2"

	"errno_exporter/internal/cli"
)

func probeFlags(app *kingpin.Application, o *cli.Options) {
	c := app.Command(commandProbe, "Probe a URL, or a configured target, from this host and report in which phase it "+
		"fails, why, and with which errno.\n\n"+
		"Exits with 0 if every probe succeeded, 1 if the command line or the configuration is invalid, 2 if a probe "+
		"failed.")
	c.Arg("url", "URL (http:// if it has no scheme) or name of a configured target.").Required().StringVar(&o.Target)
	c.Flag("module", "Module to probe with. Defaults to http_2xx, or to the configured target's.").
		Short('m').StringVar(&o.Module)
	c.Flag("request", "HTTP method, such as POST.").Short('X').PlaceHolder("METHOD").StringVar(&o.Overrides.Method)
	c.Flag("header", `Header "Name: value", repeatable; "Name:" removes the module's.`).
		Short('H').PlaceHolder(`"NAME: VALUE"`).StringsVar(&o.Overrides.Headers)
	c.Flag("data", "Request body, or @FILE; implies POST.").
		Short('d').IsSetByUser(&o.Overrides.HasData).StringVar(&o.Overrides.Data)
	connectionFlags(c, o)
	c.Flag("count", "Number of probes, with a line for each and a summary; 0 continues until Ctrl-C.").
		Short('n').Default("1").IntVar(&o.Count)
	c.Flag("interval", "Time between the starts of two probes.").Short('i').Default("1s").DurationVar(&o.Interval)
	c.Flag("timeout", "Timeout of each probe. With --keepalive AGES it bounds each request, not the idle times "+
		"before them; with --keepalive find the whole search, an hour by default. Defaults to the module's, "+
		"or 10s.").DurationVar(&o.Timeout)
	c.Flag("keepalive", "Test connections that were idle for these times, such as 30s,5m; find searches for how long "+
		"they live.").
		PlaceHolder("AGES|find").StringVar(&o.Keepalive)
	c.Flag("diagnose",
		"After a failure run experiments, each of which changes one thing, and report the cause.").
		BoolVar(&o.Diagnose)
	c.Flag("all-addresses", "Probe every address of the name concurrently.").BoolVar(&o.Overrides.AllAddresses)
	c.Flag("verbose", "Print the whole record of each probe: addresses, packets, TLS, headers, experiments, samples.").
		Short('v').BoolVar(&o.Verbose)
	c.Flag("output", "Output format: text, json (a line per probe), or metrics.").
		Short('o').Default("text").EnumVar(&o.Output, "text", "json", "metrics")
}

// connectionFlags are the flags that change how the target is reached, by curl's names.
func connectionFlags(c *kingpin.CmdClause, o *cli.Options) {
	to := &o.Overrides.Connection
	c.Flag("user", "Basic authentication instead of the module's credentials.").
		Short('u').PlaceHolder("USER:PASSWORD").StringVar(&to.User)
	c.Flag("ipv4", "Use IPv4 addresses only.").Short('4').BoolVar(&to.IPv4)
	c.Flag("ipv6", "Use IPv6 addresses only.").Short('6').BoolVar(&to.IPv6)
	c.Flag("resolve", "Connect to this address instead of resolving the host, if the target has this host and port; "+
		"repeatable.").PlaceHolder("HOST:PORT:ADDRESS").StringsVar(&o.Resolve)
	c.Flag("proxy", "URL of a proxy, of scheme http (the default), https, socks5 or socks5h.").
		Short('x').PlaceHolder("URL").StringVar(&to.Proxy)
	c.Flag("insecure", "Do not verify the server's certificate.").Short('k').BoolVar(&to.Insecure)
	c.Flag("cacert", "Verify the server's certificate with the authorities of this PEM file alone.").
		PlaceHolder("FILE").StringVar(&to.CACert)
	c.Flag("http1.1", "Speak HTTP/1.1.").BoolVar(&to.HTTP1)
	c.Flag("http2", "Offer HTTP/2, over TLS.").BoolVar(&to.HTTP2)
	c.Flag("http3", "Speak HTTP/3 over QUIC.").BoolVar(&to.HTTP3)
	c.Flag("location", "Follow redirects, or with --no-location do not. Defaults to the module's follow_redirects.").
		Short('L').IsSetByUser(&to.HasLocation).BoolVar(&to.Location)
}
