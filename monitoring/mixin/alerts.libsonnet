// Alerts. Every alert has a label vantage, "default" where neither the series nor Prometheus' external labels have one, because
// Alertmanager's inhibition compares it; alerts about a target have its name or URL as api, and the labels of its owner.
//
// Warnings keep firing for longer than the critical alerts that mute them: Alertmanager does not notify of an alert that resolves while it is
// muted. A target's label severity ("warning", "info") replaces the severity "critical".
local lib = import 'lib.libsonnet';

{
  local config = self._config,
  local key = lib.key,
  local name = lib.name,

  local runbook(anchor) = lib.runbook(config) + '#' + std.asciiLower(anchor),
  // A link has no variable for a label that the alert lacks: an empty one would show no series.
  local variable(label) = '{{ with $labels.%s }}&var-%s={{ . | urlquery }}{{ end }}' % [label, label],
  local variables(labels) =
    (if config.dashboardSource == '' then [] else ['var-datasource=' + config.dashboardSource]) +
    (if labels == [] then [] else ['var-job={{ $labels.job | urlquery }}' + std.join('', std.map(variable, labels))]),
  local dashboard(uid, labels) = config.grafanaURL + '/d/' + uid +
                                 (if variables(labels) == [] then '' else '?' + std.join('&', variables(labels))),
  // Where one scrape is one probe, instance is a target, and job is not the job of the exporter's own metrics: the dashboard of exporters has
  // neither of them, that of targets has both.
  local exporterIf(label) = '{{ if $labels.' + label + ' }}' + dashboard('errno-exporter', ['instance']) + '{{ else }}' +
                            dashboard('errno-target', ['instance']) + '{{ end }}',

  // alert is a rule; page is the section of the runbook if several alerts share one.
  local alert(a) = {
    alert: a.name,
    expr: a.expr,
    'for': a['for'],
    keep_firing_for: a.keep,
    labels: { severity: a.severity, vantage: lib.vantage } + std.get(a, 'labels', {}),
    annotations: {
      summary: a.summary,
      description: a.description,
      runbook_url: runbook(std.get(a, 'page', a.name)),
      dashboard_url: std.get(a, 'link', dashboard(a.dashboard, a.variables)),
    },
  },
  local ofTarget(a) = alert({ dashboard: 'errno-target', variables: ['instance', 'target'] } + a + {
    // Where probes fail there is an incident.
    description: a.description + (if std.get(a, 'incident', false) then lib.incident else lib.page),
    labels: { api: name } + lib.joined + std.get(a, 'labels', {}),
    severity: if a.severity == 'critical' then '{{ or $labels.severity "critical" }}' else a.severity,
  }),
  local ofExporter(a) = alert({ dashboard: 'errno-exporter', variables: ['instance'] } + a),

  // owned adds the verdict on a target and its owner's labels to an expression.
  local owned(expr) = |||
    (
      %(expr)s
    )
    * on (%(key)s) group_left (cause, party, confidence)
      target:probe_cause:info
    * on (%(key)s) group_left (%(labels)s)
      target:probe_target:info
  ||| % {
    expr: std.strReplace(std.rstripChars(expr, '\n'), '\n', '\n  '),
    key: key,
    labels: std.join(', ', ['severity'] + config.targetLabels),
  },
  local unlessEgressDown(expr) = lib.unlessEgressDown(std.rstripChars(expr, '\n')),

  // Two minutes without a success. An intermittent reason stays for two minutes, so that it does not reset for.
  local failing(and, a) = ofTarget({
    name: 'ErrnoTargetFailing',
    incident: true,
    expr: unlessEgressDown(owned(|||
      max_over_time(target:probe_failure:info[2m])
      and on (%(key)s)
        (target:probe_failing:bool == 1)
    ||| % { key: key } + and) + |||
      * on (%s) group_left (check, index)
        target:probe_check:info
    ||| % key),
    'for': '1m',
    keep: '2m',
    summary: name + ': {{ or $labels.short $labels.reason }}' + lib.during + lib.errno,
  } + a),
  local elsewhere = 'on (job, api) max by (job, api) (max_over_time(target:probe_success:last[2m])) == 1\n',

  local failures = [
    // Three ways to see a reset: the counter rises; its first sample is 1 already, and the failure is recent; or the last probe failed by
    // one, which shows it also where an exporter that counted 1 was restarted and counts 1 again. A target that is itself new to Prometheus
    // may have counted for long: its counter's first sample says nothing about now.
    ofTarget({
      name: 'ErrnoConnectionReset',
      expr: owned(|||
        (
            increase(probe_connection_resets_total[5m]) > 0
          or
            (
                (probe_connection_resets_total > 0 unless probe_connection_resets_total offset 5m)
              and on (%(key)s)
                (time() - probe_last_failure_timestamp_seconds < 300)
              and on (%(key)s)
                probe_success offset 5m
            )
          or on (%(key)s, phase)
            sum by (%(key)s, phase) (count_over_time(probe_failure_info{reason="tcp.reset"}[5m])) > 0
        )
        * on (phase) group_left (during)
          errno:phase:info
      ||| % { key: key }),
      'for': '0m',
      keep: '15m',
      severity: 'warning',
      labels: { reason: 'tcp.reset', errno: 'ECONNRESET' },
      summary: name + ': connection reset by the peer{{ $labels.during }} (ECONNRESET)',
      description: 'Connections that ended with a RST in phase {{ $labels.phase }} in 5 minutes: {{ $value | printf "%.0f" }}. The server ' +
                   "aborted, crashed or lost the connection's state, or a middlebox reset it." + lib.verdict,
    }),

    // One page for an API that fails from all places at once; it mutes those of the places. Alerts are sent in the order of their rules, so that
    // Alertmanager has it before those it mutes.
    alert({
      name: 'ErrnoTargetFailingEverywhere',
      expr: |||
        (
            count by (job, api) (max_over_time(vantage:probe_success:max[2m]) == 0)
          ==
            count by (job, api) (max_over_time(vantage:probe_success:max[2m]))
        ) > 1
      |||,
      'for': '1m',
      keep: '2m',
      severity: 'critical',
      summary: '{{ $labels.api }}: fails from all {{ $value | humanize }} vantages',
      description: 'No probe from any vantage succeeded in the last two minutes: the server or its own network is at fault, not the path from ' +
                   'one place. The alerts of the vantages are muted; their dashboards show phase, reason and verdict.',
      dashboard: 'errno-overview',
      variables: [],
    }),

    failing('unless ' + elsewhere, {
      severity: 'critical',
      description: 'No probe succeeded in the last two minutes. {{ $labels.sentence }} phase={{ $labels.phase }} ' +
                   'reason={{ $labels.reason }} errno={{ $labels.errno }} origin={{ $labels.origin }}' + lib.check + lib.verdict,
    }),
    failing('and ' + elsewhere, {
      severity: 'warning',
      description: 'No probe of this exporter succeeded in the last two minutes; those of another one do. {{ $labels.sentence }} ' +
                   'phase={{ $labels.phase }} reason={{ $labels.reason }} errno={{ $labels.errno }} origin={{ $labels.origin }}' + lib.check +
                   lib.verdict,
    }),
    ofTarget({
      name: 'ErrnoTargetFlapping',
      expr: unlessEgressDown(owned(|||
        increase(probe_attempts_failed_total[30m]) > 2
        and on (%(key)s)
          avg_over_time(target:probe_success:last[30m]) > 0.5
      ||| % { key: key })),
      'for': '5m',
      keep: '15m',
      severity: 'warning',
      summary: name + ': {{ $value | printf "%.0f" }} attempts failed in 30 minutes, while most probes succeeded',
      description: 'Attempts fail sporadically: an overloaded or restarting server, one bad address among several, packet loss, or a rate ' +
                   'limit. The dashboard shows the reasons.' + lib.verdict,
    }),

    ofTarget({
      name: 'ErrnoIdleConnectionDying',
      expr: owned(|||
        probe_keepalive_idle_seconds
        and on (%(key)s, idle)
          (probe_keepalive_success == 0)
        and on (%(key)s)
          (target:probe_success:last == 1)
      ||| % { key: key }),
      'for': '0m',
      keep: '30m',
      severity: 'warning',
      summary: name + ': a connection that was idle for {{ $value | humanizeDuration }} no longer serves a request',
      description: 'Fresh connections work, one that was idle for {{ $value | humanizeDuration }} does not: the server or a middlebox ends ' +
                   "idle connections earlier. Set the idle timeout of the client's connection pool below that." + lib.verdict,
    }),

    // The application's own connections (observe), whatever the probes see.
    ofTarget({
      name: 'ErrnoApplicationReset',
      expr: unlessEgressDown(owned('sum by (%s) (increase(app_connections_ended_total{how="reset_received"}[1h])) > 2' % key)),
      'for': '0m',
      keep: '15m',
      severity: 'warning',
      labels: { reason: 'tcp.reset', errno: 'ECONNRESET' },
      summary: name + ": the application's connections were reset {{ $value | printf `%.0f` }} times in an hour (ECONNRESET)",
      description: "A RST ended connections of the application beside the exporter. Probes make fresh connections and may see none of it: the " +
                   "application's pool keeps connections for longer than the other side does, or they are reset while in use." + lib.verdict,
    }),
    // A number that never falls (resets counts each fall), and has grown until now: a pool that fills stays at its limit.
    ofTarget({
      name: 'ErrnoConnectionLeak',
      expr: owned(|||
        (
            app_connections{state="close_wait"} >= 10
          and
            resets(app_connections{state="close_wait"}[15m]) == 0
          and
            app_connections{state="close_wait"} - app_connections{state="close_wait"} offset 15m >= 5
        or
            app_connections{state="established"} >= 100
          and
            resets(app_connections{state="established"}[30m]) == 0
          and
            app_connections{state="established"} >= 2 * app_connections{state="established"} offset 30m
          and
            app_connections{state="established"} offset 15m > app_connections{state="established"} offset 30m
        )
        and
          app_connections > app_connections offset 5m
      |||),
      'for': '5m',
      keep: '15m',
      severity: 'warning',
      summary: name + ': the application has {{ $value | humanize }} connections ({{ $labels.state }}), and never fewer',
      description: 'The number of connections in state {{ $labels.state }} has only grown. In close_wait the peer closed them and the application ' +
                   'did not: the next request on one fails, and each holds a file descriptor.' + lib.verdict,
    }),

    ofTarget({
      name: 'ErrnoAddressFailing',
      expr: owned(|||
        max_over_time(probe_address_success[2m]) == 0
        and on (%(key)s)
          max by (%(key)s) (probe_address_success) == 1
      ||| % { key: key }),
      'for': '1m',
      keep: '10m',
      severity: 'warning',
      summary: name + ': the address {{ $labels.address }} fails, others of the same name work',
      description: 'Clients that connect to {{ $labels.address }} fail, others do not: one backend, or one of two address families, is ' +
                   'broken.' + lib.verdict,
    }),

    ofTarget({
      name: 'ErrnoNameServersDisagree',
      expr: owned('min_over_time(probe_dns_answers_overlap[5m]) == 0 or min_over_time(probe_dns_stale_addresses[15m]) > 0'),
      'for': '5m',
      keep: '10m',
      severity: 'warning',
      summary: name + ": the system's resolver returns other addresses than the configured name servers",
      description: 'Clients here use addresses that the configured name servers no longer return, or see another view of the zone. ' +
                   'Connections to them may be refused, reset, or answered by another service.',
    }),

    ofTarget({
      name: 'ErrnoRateLimited',
      incident: true,
      expr: owned('count_over_time(probe_failure_info{reason=~"http.rate_limited|h2.throttled|h2.stream_refused"}[15m]) > 0'),
      'for': '0m',
      keep: '15m',
      severity: 'warning',
      summary: name + ': the API rate-limits us, or is overloaded ({{ $labels.reason }})',
      description: 'Probes in 15 minutes that were answered with 429, with 503 and Retry-After, or over HTTP/2 with ENHANCE_YOUR_CALM or ' +
                   "REFUSED_STREAM: {{ $value | printf `%.0f` }}. The application's own calls are subject to the same limit.",
    }),

    ofTarget({
      name: 'ErrnoDNSFailing',
      incident: true,
      expr: unlessEgressDown(owned(|||
        max_over_time(target:probe_failure:info{reason=~"dns[.].+"}[5m])
        and on (%(key)s, reason)
          (count_over_time(probe_failure_info[5m]) >= 2)
      ||| % { key: key })),
      'for': '1m',
      keep: '15m',
      severity: 'warning',
      summary: name + ': {{ or $labels.short $labels.reason }}' + lib.errno,
      description: '{{ $labels.sentence }}',
    }),
  ],

  local latency = [
    ofTarget({
      name: 'ErrnoPhaseSlow',
      expr: |||
        %s
        unless on (%s)
          avg_over_time(probe_reliable[15m]) < 0.5
      ||| % [
        std.rstripChars(owned(|||
          phase:probe_http_duration_seconds:median15m > 3 * phase:probe_http_duration_seconds:median1d
          and
            phase:probe_http_duration_seconds:median15m - phase:probe_http_duration_seconds:median1d > 0.1
        |||), '\n'),
        key,
      ],
      'for': '5m',
      keep: '15m',
      severity: 'warning',
      summary: name + ': phase {{ $labels.phase }} takes {{ $value | humanizeDuration }}, three times as long as it used to',
      description: 'The median of the last 15 minutes, compared with the day before. Look at the resolver for resolve; at the path or the ' +
                   "accept queue for connect; at the server's CPUs or the path for tls; at the application for processing; at the path or the " +
                   'application for transfer.',
    }),
  ],

  local certificate(a) = ofTarget({
    keep: '1h',
    'for': '5m',
    summary: name + ': a certificate expires in {{ $value | humanizeDuration }}',
  } + a + { expr: owned('(%s) and on (%s) probe_reliable' % [std.rstripChars(a.expr, '\n'), key]) }),
  // A certificate of six days is never weeks from its end: a share of the lifetime is the threshold where it is less than the days. Clients
  // renew with a third of the lifetime left, or half of it, so that a quarter means that a renewal failed. Exporters that do not expose the
  // lifetime have the days alone.
  local expires(days, percent) = |||
    probe_ssl_earliest_cert_expiry - time() < (
        clamp_max(probe_ssl_earliest_cert_lifetime_seconds * %(percent)g / 100, %(days)d * 86400)
      or
        probe_ssl_earliest_cert_expiry * 0 + %(days)d * 86400
    )
    and probe_ssl_earliest_cert_expiry - time() > 0
  ||| % { days: days, percent: percent },
  local soon(days, percent) = 'A certificate of the chain that the server sends expires in less than %d days (a short-lived one: in less than ' % days +
                              '%g %% of its lifetime).' % percent,
  local certificates = [
    certificate({
      name: 'ErrnoCertificateExpiresSoon',
      expr: expires(config.certificateWarningDays, config.certificateWarningPercent),
      'for': '1h',
      keep: '2h',
      severity: 'warning',
      description: soon(config.certificateWarningDays, config.certificateWarningPercent),
    }),
    certificate({
      name: 'ErrnoCertificateExpiring',
      expr: expires(config.certificateCriticalDays, config.certificateCriticalPercent),
      severity: 'critical',
      description: soon(config.certificateCriticalDays, config.certificateCriticalPercent) + ' From then on every client rejects it.',
    }),
    certificate({
      name: 'ErrnoCertificateExpired',
      expr: 'time() - probe_ssl_earliest_cert_expiry >= 0',
      severity: 'critical',
      summary: name + ': a certificate expired {{ $value | humanizeDuration }} ago',
      description: 'A certificate of the chain that the server sends is no longer valid: clients reject it.',
    }),
  ],

  local us = [
    alert({
      name: 'ErrnoEgressDown',
      expr: 'vantage:probe_egress_down:bool == 1',
      'for': '30s',
      keep: '2m',
      severity: 'critical',
      summary: 'vantage ' + lib.vantage + ': our own egress is down',
      description: "{{ with printf \"max by (vantage) (errno_exporter_egress_up{vantage='%s'}) == 0\" $labels.vantage | query }}No reference " +
                   "target is reachable from here: the APIs are not at fault.{{ else }}{{ with printf \"vantage:probe_egress_failing:count{vantage='%s'}\" " +
                   '$labels.vantage | query }}{{ with first . }}{{ .Value | humanize }} targets,{{ end }}{{ end }} at least half of all and in ' +
                   'several networks, are unreachable from here at once: the APIs are not at fault.{{ end }} Alerts of single APIs of this ' +
                   'vantage are muted.',
      dashboard: 'errno-overview',
      variables: [],
    }),
    ofTarget({
      name: 'ErrnoLocalExhaustion',
      expr: owned('max_over_time(target:probe_failure:info{reason=~"local.fd_exhausted|local.overloaded|local.port_exhausted|local.no_resources"}[5m]) > 0'),
      'for': '0m',
      keep: '5m',
      severity: 'critical',
      summary: name + ': {{ or $labels.short $labels.reason }}' + lib.errno,
      description: 'The host of the exporter lacks a resource; the API is not at fault. {{ $labels.sentence }}',
      link: exporterIf('target'),
    }),
  ],

  // At 14.4 times the sustainable rate the error budget of 30 days is used up in 2 days, at 6 times in 5, at 1 time in 30. A target's label
  // objective replaces the objective. While a target fails altogether, and shortly after, ErrnoTargetFailing speaks of it.
  local budgetAlert(a) = ofTarget(a {
    expr: unlessEgressDown(owned(|||
      (1 - target:probe_success:avg_over_time%(long)s > on (%(key)s) group_left () %(factor)g * (1 - target:probe_objective:ratio))
      and
        (1 - target:probe_success:avg_over_time%(short)s > on (%(key)s) group_left () %(factor)g * (1 - target:probe_objective:ratio))
      unless on (%(key)s)
        (max_over_time(target:probe_failing:bool[10m]) == 1)
    ||| % { long: a.long, short: a.short, factor: a.factor, key: key })),
    page: 'ErrnoErrorBudgetBurns',
    incident: true,
    summary: name + ': a share of {{ if lt $value 0.05 }}{{ printf "%.1g" $value }}{{ else }}{{ printf "%.2f" $value }}{{ end }} ' +
             'of the probes of the last ' + a.window + ' failed',
  }),
  local slo = [
    budgetAlert({
      name: 'ErrnoErrorBudgetBurnsFast',
      factor: 14.4,
      long: '1h',
      short: '5m',
      window: 'hour',
      'for': '2m',
      keep: '5m',
      severity: 'critical',
      description: 'At this rate the error budget of 30 days is used up in two days.',
    }),
    budgetAlert({
      name: 'ErrnoErrorBudgetBurns',
      factor: 6,
      long: '6h',
      short: '30m',
      window: '6 hours',
      'for': '15m',
      keep: '15m',
      severity: 'warning',
      description: 'At this rate the error budget of 30 days is used up in five days.',
    }),
    budgetAlert({
      name: 'ErrnoErrorBudgetBurnsSlowly',
      factor: 1,
      long: '3d',
      short: '6h',
      window: '3 days',
      'for': '1h',
      keep: '1h',
      severity: 'info',
      description: 'At this rate the objective over 30 days is missed.',
    }),
  ],

  local known = 'instance:errno_exporter:known',
  local ofKnown(style) = 'on (job, instance, vantage) %s{style="%s"}' % [known, style],
  local exporter = [
    // Instances that have answered, instances of a job whose others do, and all that the configuration selects; with one scrape per target
    // a job of which all scrapes fail.
    ofExporter({
      name: 'ErrnoExporterDown',
      expr: |||
        up == 0 and %(exporter)s
        or
          (up == 0 and on (job) %(known)s{style="exporter"})
          unless on (job)
            (up == 1 unless on (job, instance, vantage) %(known)s)
        or
          count by (job, vantage) (up == 0 and %(probe)s)
          ==
            count by (job, vantage) (%(known)s{style="probe"})
        %(selected)s
      ||| % {
        exporter: ofKnown('exporter'),
        probe: ofKnown('probe'),
        known: known,
        selected: if config.exporterSelector == '' then '' else 'or\n  up{%s} == 0' % config.exporterSelector,
      },
      'for': '2m',
      keep: '2m',
      severity: 'critical',
      summary: '{{ with $labels.instance }}scrapes of {{ . }}{{ else }}all {{ $value | humanize }} scrapes{{ end }} of job {{ $labels.job }} fail',
      description: 'Prometheus gets no answer from the exporter, or none in time. Its targets are not monitored until it does.',
      link: exporterIf('instance'),
    }),
    ofExporter({
      name: 'ErrnoProbeScrapeFails',
      expr: |||
        up == 0 and %(of)s
        unless on (job, vantage)
          (count by (job, vantage) (up == 0 and %(of)s) == count by (job, vantage) (%(known)s{style="probe"}))
      ||| % { of: ofKnown('probe'), known: known },
      'for': '2m',
      keep: '2m',
      severity: 'warning',
      summary: 'the scrape of {{ $labels.instance }} of job {{ $labels.job }} fails, others of the job do not',
      description: "The exporter answers, but not for this target: the request is refused (Prometheus' page of targets has the status), or the " +
                   "answer comes after the scrape's timeout. The target is not monitored.",
      dashboard: 'errno-target',
      variables: ['instance'],
    }),
    alert({
      name: 'ErrnoExporterAbsent',
      expr: 'absent(errno_exporter_build_info) and on () absent(probe_reliable) unless on () (count(up == 0 and on (job, instance, vantage) %s) > 0)' % known,
      'for': '10m',
      keep: '2m',
      severity: 'critical',
      labels: { vantage: '{{ or $externalLabels.vantage "default" }}' },
      summary: 'No errno_exporter is scraped',
      description: 'Prometheus scrapes no errno_exporter. Check whether its job is in the configuration and whether its discovery finds it.',
      dashboard: 'errno-exporter',
      variables: [],
    }),
    ofExporter({
      name: 'ErrnoNoTargets',
      expr: 'errno_exporter_targets == 0 unless on (job, instance, vantage) errno_exporter_remembered_targets > 0',
      'for': '15m',
      keep: '1m',
      severity: 'warning',
      summary: '{{ $labels.instance }} probes nothing',
      description: 'No target is configured, and nobody asks for /probe: the exporter runs, and monitors nothing.',
    }),
    ofTarget({
      name: 'ErrnoTargetVanished',
      expr: |||
        target:probe_success:last offset 10m
        unless on (%(key)s)
          target:probe_success:last
        and on (job, instance, vantage)
          up == 1
      ||| % { key: key },
      'for': '5m',
      keep: '15m',
      severity: 'info',
      summary: name + ': no longer probed',
      description: 'The target was probed ten minutes ago and is not any more, although its exporter answers: it was removed from the ' +
                   'configuration, or from its file of targets.',
      link: exporterIf('target'),
    }),
    ofExporter({
      name: 'ErrnoExporterPanicked',
      expr: 'increase(errno_exporter_probe_panics_total[15m]) > 0 or increase(errno_exporter_panics_total[15m]) > 0',
      'for': '0m',
      keep: '1h',
      severity: 'warning',
      summary: '{{ $labels.instance }} recovered from a panic',
      description: 'A bug of the exporter: it goes on, and the probe that met it has no result. The log has the stack; please report it.',
    }),
    ofExporter({
      name: 'ErrnoScrapeNearlyTooSlow',
      expr: |||
        avg_over_time(scrape_duration_seconds[15m]) > 0.9 * scrape_timeout_seconds
        and on (job, instance, vantage)
          errno_exporter_build_info
      |||,
      'for': '5m',
      keep: '15m',
      severity: 'warning',
      summary: 'scrapes of {{ $labels.instance }} take {{ $value | humanizeDuration }}, nearly their timeout',
      description: 'A little more, and Prometheus gets no sample of any target. Targets that stall take as long as they may: raise scrape_timeout, or ' +
                   "lower the modules' timeout. (Prometheus exposes scrape_timeout_seconds with --enable-feature=extra-scrape-metrics.)",
    }),
    ofExporter({
      name: 'ErrnoHostNearLimit',
      expr: |||
        errno_exporter_host_descriptors > 0.8 * errno_exporter_host_descriptors_limit
        or
          errno_exporter_host_conntrack_entries > 0.8 * errno_exporter_host_conntrack_limit
        or
          errno_exporter_host_ephemeral_ports_used_most > 0.8 * errno_exporter_host_ephemeral_ports
      |||,
      'for': '5m',
      keep: '15m',
      severity: 'warning',
      summary: '{{ $labels.instance }}: more than 80 % of a resource of its host are in use',
      description: 'File descriptors, connection tracking or ephemeral ports: {{ $value | humanize }} in use. At the limit probes, and the ' +
                   'applications beside the exporter, fail with EMFILE, EADDRNOTAVAIL or dropped packets.',
    }),
    ofExporter({
      name: 'ErrnoReferenceTargetDown',
      expr: 'errno_exporter_control_up == 0 unless on (job, instance, vantage) errno_exporter_egress_up == 0',
      'for': '5m',
      keep: '5m',
      severity: 'info',
      summary: '{{ $labels.instance }}: the reference target {{ $labels.control }} is unreachable, others are not',
      description: 'Reference targets tell whether our own egress works. One that is gone tells nothing: replace it if it stays so.',
    }),
    ofExporter({
      name: 'ErrnoConfigurationReloadFailed',
      expr: 'errno_exporter_config_last_reload_successful == 0',
      'for': '5m',
      keep: '1m',
      severity: 'warning',
      summary: '{{ $labels.instance }} runs with an old configuration: the new one is invalid',
      description: 'The last reload failed; the previous configuration stays in force. The log and the answer of POST /-/reload have the ' +
                   'error and its place.',
    }),
    ofExporter({
      name: 'ErrnoConfigurationTargetFilesFailed',
      expr: 'errno_exporter_config_target_files_failed > 0',
      'for': '5m',
      keep: '1m',
      severity: 'warning',
      summary: '{{ $labels.instance }}: files of targets that cannot be used: {{ $value | humanize }}',
      description: 'The targets of these files (target_files) stay as they were, and a file that could never be used has none: what was added ' +
                   'to them is not monitored. The log names the file and the error.',
    }),
    ofExporter({
      name: 'ErrnoObserverLosesEvents',
      expr: 'increase(errno_exporter_observe_events_lost_total[15m]) > 0',
      'for': '0m',
      keep: '15m',
      severity: 'warning',
      summary: "{{ $labels.instance }}: ends of the application's connections were lost: {{ $value | printf `%.0f` }} in 15 minutes",
      description: 'The kernel could not report them, because the buffer of the exporter was full: counts of connections that ended, resets ' +
                   'among them, are too low. More connections end here than the exporter can read, or it lacks CPU.',
    }),
    ofExporter({
      name: 'ErrnoStorageFails',
      expr: 'errno_exporter_storage_up == 0',
      'for': '5m',
      keep: '0m',
      severity: 'warning',
      summary: '{{ $labels.instance }} cannot write to its store',
      description: 'Incidents, records and counters of now are in memory alone: a restart loses them. The log says why: a full disk, a file that is ' +
                   'damaged or read-only, or a second exporter that uses it.',
    }),
    ofExporter({
      name: 'ErrnoExporterLate',
      expr: |||
        increase(errno_exporter_probes_not_started_total[10m]) > 0
        or
          increase(errno_exporter_probes_overloaded_total[10m]) > 0.1 * increase(errno_exporter_probes_total[10m])
      |||,
      'for': '5m',
      keep: '10m',
      severity: 'warning',
      summary: '{{ $labels.instance }} is overloaded: its durations may be too long, or probes were not started',
      description: '{{ $value | printf "%.0f" }} probes in 10 minutes. The exporter lacks CPU (throttled by its cgroup?) or slots ' +
                   '(max_concurrent): latencies marked with probe_reliable 0 are its own, not the APIs\'.',
    }),
  ],

  prometheusAlerts+:: {
    groups+: [
      { name: 'errno_failures', rules: failures },
      { name: 'errno_latency', interval: '1m', rules: latency },
      { name: 'errno_certificates', rules: certificates },
      { name: 'errno_us', rules: us },
      { name: 'errno_slo', rules: slo },
      { name: 'errno_exporter', rules: exporter },
    ],
  },
}
