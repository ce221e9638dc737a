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

  // joined are the labels that a join adds for the annotations; an empty label is no label, so that alerts do not have them.
  joined:: { cause: '', check: '', index: '', confidence: '', party: '', short: '', sentence: '', during: '', objective: '' },
}
