// The alerts as Grafana-managed rules, by file provisioning: the rules of prometheusAlerts, the routes and inhibition of alertmanager.yml.
//
// A query returns what alerts and nothing else, so that the condition is that it returns something: no data is the state in which all is
// well. Grafana's policies do not inhibit. The series ALERTS of Prometheus' own rules have what fires there, and each rule leaves out
// what Alertmanager would mute by it.
local lib = import 'lib.libsonnet';

{
  local config = self._config,
  local dashboards = self.grafanaDashboards,

  // Alertmanager's configuration, as an object.
  alertmanager:: std.parseYaml(importstr '../alertmanager.yml'),
  local alertmanager = self.alertmanager,

  // std.findSubstr would take minutes for all rules.
  local contains(text, part) = std.length(std.splitLimit(text, part, 1)) > 1,
  local operatorOf(matcher) = [o for o in ['=~', '!~', '!=', '='] if contains(matcher, o)][0],
  // matches is whether a matcher of Alertmanager ('alertname=~"A|B.*"') matches a value; of regular expressions it knows these alone.
  local matches(matcher, value) =
    local operator = operatorOf(matcher);
    local pattern = std.stripChars(std.splitLimit(matcher, operator, 1)[1], '"');
    local one(p) = if std.endsWith(p, '.*') then std.startsWith(value, std.substr(p, 0, std.length(p) - 2)) else p == value;
    local any = std.any(std.map(one, if std.endsWith(operator, '~') then std.split(pattern, '|') else [pattern]));
    if operator[0] == '!' then !any else any,
  local labelOf(matcher) = std.splitLimit(matcher, operatorOf(matcher), 1)[0],

  // A severity that a target's label may replace counts as critical: who has replaced it has no critical alert of the same target.
  local severity(rule) = if std.startsWith(rule.labels.severity, '{{') then 'critical' else rule.labels.severity,
  local isMuted(row, rule) = std.all([
    matches(m, { alertname: rule.alert, severity: severity(rule) }[labelOf(m)])
    for m in row.target_matchers
  ]),
  local source(row) = 'unless on (%s)\n  ALERTS{alertstate="firing", %s}' % [
    std.join(', ', row.equal),
    std.join(', ', row.source_matchers),
  ],
  local expr(rule) =
    local rows = [row for row in alertmanager.inhibit_rules if isMuted(row, rule)];
    local unmuted = std.rstripChars(rule.expr, '\n');
    local withAPI = if std.objectHas(rule.labels, 'api') then lib.withAPI(unmuted) else unmuted;
    if rows == [] then unmuted
    // What an alert's labels make of its series: ALERTS has them.
    else 'label_replace(%s, "vantage", "default", "vantage", "")\n' % withAPI + std.join('\n', std.map(source, rows)),

  // present prints a label only where there is one: Grafana writes "[no value]" for others.
  local present(text) =
    local parts = std.split(text, '{{ $labels.');
    local one(part) =
      local halves = std.splitLimit(part, ' }}', 1);
      local words = std.splitLimit(halves[0], ' ', 1);
      '{{ with $labels.%s }}{{ .%s }}{{ end }}' % [words[0], if std.length(words) > 1 then ' ' + words[1] else ''] + halves[1];
    parts[0] + std.join('', std.map(one, parts[1:])),
  local replaced(text, pairs) = std.foldl(function(t, pair) std.strReplace(t, pair[0], pair[1]), pairs, text),
  // Grafana has no external labels and no function query; $value is a text there; and the verdict has annotations of its own.
  local annotation(text) = present(replaced(text, [
    [lib.verdict, ''],
    [lib.page, ''],
    [lib.incident, ''],
    [lib.runbook(config), config.runbookURL],
    [config.grafanaURL + '/', '{{ externalURL }}'],
    ['$value', '$values.A.Value'],
    ['$externalLabels.vantage ', ''],
  ])),
  // Provisioning replaces $NAME in labels by a variable of the environment: they have .Labels in its place.
  local label(text) = replaced(text, [['$externalLabels.vantage ', ''], ['$labels', '.Labels']]),

  // Where Prometheus' text cannot be Grafana's, which has no function query.
  local annotations = {
    ErrnoEgressDown: {
      description: 'No reference target is reachable from here; or, without reference targets, at least half of all targets in several networks ' +
                   'are unreachable at once. The APIs are not at fault. Alerts of single APIs of this vantage are muted.',
    },
  },
  local verdict = { [name]: '{{ with $labels.%s }}{{ . }}{{ end }}' % name for name in ['cause', 'party', 'confidence'] },

  // The panel to which an alert belongs: the first of its dashboard that has the metric.
  local metrics = {
    ErrnoConnectionReset: ['probe_connection_resets_total'],
    ErrnoTargetFailing: ['probe_failure_info'],
    ErrnoTargetFailingEverywhere: ['probe_failure_info'],
    ErrnoTargetFlapping: ['probe_failures_total'],
    ErrnoIdleConnectionDying: ['probe_keepalive_success'],
    ErrnoAddressFailing: ['probe_address_success'],
    ErrnoNameServersDisagree: ['probe_dns_answers_overlap'],
    ErrnoRateLimited: ['probe_failures_total'],
    ErrnoDNSFailing: ['probe_dns_lookup_time_seconds'],
    ErrnoPhaseSlow: ['probe_http_duration_seconds'],
    ErrnoCertificateExpiresSoon: ['probe_ssl_earliest_cert_expiry'],
    ErrnoCertificateExpiring: ['probe_ssl_earliest_cert_expiry'],
    ErrnoCertificateExpired: ['probe_ssl_earliest_cert_expiry'],
    ErrnoEgressDown: ['egress', 'probe_failure_info'],
    ErrnoLocalExhaustion: ['process_open_fds'],
    ErrnoNoTargets: ['errno_exporter_targets'],
    ErrnoTargetVanished: ['errno_exporter_targets'],
    ErrnoExporterPanicked: ['panics_total', 'errno_exporter_probes_total'],
    ErrnoScrapeNearlyTooSlow: ['scrape_duration_seconds'],
    ErrnoHostNearLimit: ['errno_exporter_host_', 'process_open_fds'],
    ErrnoReferenceTargetDown: ['errno_exporter_control_up', 'errno_exporter_egress_up'],
    ErrnoConfigurationReloadFailed: ['errno_exporter_config_last_reload_successful'],
    ErrnoConfigurationTargetFilesFailed: ['errno_exporter_config_target_files_failed', 'errno_exporter_config_last_reload_successful'],
    ErrnoStorageFails: ['errno_exporter_storage_up', 'errno_exporter_storage_dropped_total'],
    ErrnoObserverLosesEvents: ['errno_exporter_observe_events_lost_total', 'errno_exporter_probes_unreliable_total'],
    ErrnoExporterLate: ['errno_exporter_probes_overloaded_total', 'errno_exporter_probes_not_started_total'],
  },
  local flat(panels) = std.flattenArrays([[p] + flat(std.get(p, 'panels', [])) for p in panels]),
  local dashboardOf(rule) = std.split(std.split(rule.annotations.dashboard_url, '/d/')[1], '?')[0],
  local panel(rule) =
    local queried = [
      p
      for name in std.objectFields(dashboards)
      if dashboards[name].uid == dashboardOf(rule)
      for p in flat(dashboards[name].panels)
      if std.get(p, 'targets', []) != []
    ];
    local has(p, metric) = std.any([contains(std.get(t, 'expr', ''), metric) for t in p.targets]);
    ([p.id for metric in std.get(metrics, rule.alert, []) for p in queried if has(p, metric)] + [queried[0].id])[0],

  local seconds(duration) =
    local n = std.parseInt(std.substr(duration, 0, std.length(duration) - 1));
    n * { s: 1, m: 60, h: 3600 }[duration[std.length(duration) - 1]],

  // Titles are unique in a folder, UIDs in an organisation.
  local managed(rule, interval, again) = {
    uid: std.asciiLower(rule.alert) + (if again then '-' + severity(rule) else ''),
    title: rule.alert + (if again then ' (%s)' % severity(rule) else ''),
    condition: 'B',
    data: [
      {
        refId: 'A',
        relativeTimeRange: { from: 600, to: 0 },
        datasourceUid: config.grafanaDatasource,
        model: {
          refId: 'A',
          datasource: { type: 'prometheus', uid: config.grafanaDatasource },
          editorMode: 'code',
          expr: expr(rule),
          instant: true,
          range: false,
          intervalMs: 1000,
          maxDataPoints: 43200,
        },
      },
      {
        refId: 'B',
        relativeTimeRange: { from: 0, to: 0 },
        datasourceUid: '__expr__',
        model: {
          refId: 'B',
          datasource: { type: '__expr__', uid: '__expr__' },
          type: 'math',
          // Any value, 0 as well: what alerts is what the query returns.
          expression: 'is_number($A) || is_nan($A) || is_inf($A)',
          intervalMs: 1000,
          maxDataPoints: 43200,
        },
      },
    ],
    dashboardUid: dashboardOf(rule),
    panelId: panel(rule),
    // Nothing to report is the sound state. While Prometheus does not answer, alerts stay as they are, and one rule reports it.
    noDataState: 'OK',
    execErrState: if rule.alert == 'ErrnoExporterAbsent' then 'Error' else 'KeepLast',
    'for': rule['for'],
    keepFiringFor: rule.keep_firing_for,
    // keepFiringFor counts while the query returns nothing; while it returns other series, one that is gone is kept by this number.
    missing_series_evals_to_resolve: std.max(2, std.ceil(seconds(rule.keep_firing_for) / seconds(interval))),
    labels: { [name]: label(rule.labels[name]) for name in std.objectFields(rule.labels) },
    annotations: { [name]: annotation(rule.annotations[name]) for name in std.objectFields(rule.annotations) } +
                 (if std.objectHas(rule.labels, 'cause') then verdict else {}) +
                 std.get(annotations, rule.alert, {}),
  },
  local group(g) =
    local interval = std.get(g, 'interval', config.grafanaInterval);
    local before(i) = [r.alert for r in g.rules[:i]];
    {
      orgId: config.grafanaOrganisation,
      name: g.name,
      folder: config.grafanaFolder,
      interval: interval,
      rules: [managed(g.rules[i], interval, std.member(before(i), g.rules[i].alert)) for i in std.range(0, std.length(g.rules) - 1)],
    },

  local file = { apiVersion: 1 },
  local organisation = { orgId: config.grafanaOrganisation },

  // Alertmanager's routes. Its other fields (receiver, group_by, the durations) have the same names in Grafana.
  local policy(route) = route + {
    matchers:: null,
    [if std.objectHas(route, 'matchers') then 'object_matchers']: [
      local operator = operatorOf(m);
      [labelOf(m), operator, std.stripChars(std.splitLimit(m, operator, 1)[1], '"')]
      for m in route.matchers
    ],
    [if std.objectHas(route, 'routes') then 'routes']: std.map(policy, route.routes),
  } + if std.member(std.get(route, 'matchers', []), 'severity="info"') then { mute_time_intervals: ['errno_weekend'] } else {},

  local receiver(name, type, settings) = { uid: 'errno-%s-%s' % [name, type], type: type, settings: settings },
  local text(name) = '{{ template "errno.%s" . }}' % name,
  local contactPoints(receivers) = file {
    contactPoints: [organisation + { name: name, receivers: receivers[name] } for name in ['pager', 'team']],
  },

  // Files of provisioning/alerting, by their names.
  grafanaAlerting+:: {
    'rules.yml': file { groups: std.map(group, $.prometheusAlerts.groups) },
    'policies.yml': file { policies: [organisation + policy(alertmanager.route)] },
    'mute-timings.yml': file {
      muteTimes: [organisation + { name: 'errno_weekend', time_intervals: [{ weekdays: ['saturday', 'sunday'], location: 'UTC' }] }],
    },
    'templates.yml': file { templates: [organisation + { name: 'errno', template: importstr 'notifications.tmpl' }] },
    // The webhooks of alertmanager.yml.
    'contact-points.yml': contactPoints({
      [r.name]: [
        receiver(r.name, 'webhook', { url: hook.url, httpMethod: 'POST', title: text('title'), message: text('message') })
        for hook in r.webhook_configs
      ]
      for r in alertmanager.receivers
    }),
  },
  // What takes the place of contact-points.yml: PagerDuty, Slack and e-mail. Provisioning replaces the names that begin with $ by
  // variables of Grafana's environment.
  grafanaContactPoints+:: contactPoints({
    pager: [receiver('pager', 'pagerduty', {
      integrationKey: '$PAGERDUTY_INTEGRATION_KEY',
      severity: text('severity'),
      class: text('reason'),
      component: text('api'),
      group: text('team'),
      summary: text('title'),
      source: text('api'),
      client: 'errno_exporter',
      client_url: text('link'),
    })],
    team: [
      receiver('team', 'slack', { url: '$SLACK_WEBHOOK_URL', title: text('title'), text: text('slack') }),
      receiver('team', 'email', { addresses: '$ALERT_ADDRESSES', singleEmail: true, subject: text('title'), message: text('message') }),
    ],
  }),
}
