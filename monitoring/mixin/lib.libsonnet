// Parts of expressions and templates that several rules share.
{
  // A target is one combination of these labels; api is the target's name, or its URL where it is scraped by /probe.
  key:: 'job, instance, target, vantage',

  withAPI(expr):: 'label_replace(label_replace(%s, "api", "$1", "instance", "(.*)"), "api", "$1", "target", "(.+)")' % expr,

  // unlessEgressDown leaves out targets of a vantage whose own egress is down.
  unlessEgressDown(expr):: |||
    %s
    unless on (vantage)
      vantage:probe_egress_down:bool == 1
  ||| % expr,

  name:: '{{ or $labels.target $labels.instance }}',
  vantage:: '{{ or $labels.vantage $externalLabels.vantage "default" }}',
  errno:: '{{ with $labels.errno }} ({{ . }}){{ end }}',
  // during is the phase in words; of a reason that names the resolver "while resolving the name" says nothing new.
  during:: '{{ if not (and (eq $labels.phase "resolve") (match "^dns[.]" $labels.reason)) }}{{ $labels.during }}{{ end }}',
  check:: '{{ with $labels.check }} check={{ . }} index={{ $labels.index }}{{ end }}',
  verdict:: '{{ with $labels.cause }} Verdict: {{ . }} (party {{ $labels.party }}, confidence {{ $labels.confidence }}).{{ end }}',

  // What alerts link to of the exporter's own pages is queried when they fire: a join would cost in every evaluation. A target's page is at
  // the exporter that was scraped for it; any exporter has the runbook.
  local webInfo = 'errno_exporter_web_info{job=%q,instance=%q}',
  local external(query) = '{{ with printf "' + query + '" $labels.job $labels.instance | query }}',
  local address = '{{ . | sortByLabel "external_url" | first | label "external_url" }}',
  runbook(config):: external(webInfo + ' or on () errno_exporter_web_info') + address + '/docs/runbook{{ else }}' + config.runbookURL + '{{ end }}',
  local named = '{{ $labels.target | urlquery | reReplaceAll "[+]" "%20" }}',
  // page ends a description where the exporter reports its address. Where one scrape is one probe, the target has no page.
  page:: '{{ if $labels.target }}' + external(webInfo) + ' Its page: ' + address + '/targets/' + named + '{{ end }}{{ end }}',
  // incident is the same with the incident that lasts when the alert is evaluated: the exporter finds it by the time, so that the link leads
  // to it later, too.
  incident:: '{{ if $labels.target }}' + external(webInfo) + '{{ $url := . | sortByLabel "external_url" | first | label "external_url" }}' +
             ' Its page: {{ $url }}/targets/' + named + ' Its incident: {{ $url }}/incidents/latest?target=' + named +
             '&at={{ query "time()" | first | value | printf "%.0f" }}{{ end }}{{ end }}',

  // joined are the labels that a join adds for the annotations; an empty label is no label, so that alerts do not have them.
  joined:: { cause: '', check: '', index: '', confidence: '', party: '', short: '', sentence: '', during: '', objective: '' },
}
