// What users set: jsonnet -J . -e '(import "mixin.libsonnet") + {_config+:: {targetLabels: ["team"]}}'
{
  _config+:: {
    // Matchers of the exporters' jobs, for the alerts about exporters that never answered. Empty: a job counts once one of its instances
    // has exposed a metric that only errno_exporter has.
    exporterSelector: '',

    // Labels of targets that alerts get, to route by: from the target's own labels, by /metrics, /sd and /probe alike.
    targetLabels: ['team'],

    // Share of probes that have to succeed over 30 days, unless the target has a label objective with one of these values, in percent.
    objective: '99.5',
    objectives: ['90', '95', '99', '99.5', '99.9', '99.95', '99.99'],

    // Before a certificate's end: days, or percent of its lifetime where that is less.
    certificateWarningDays: 21,
    certificateWarningPercent: 25,
    certificateCriticalDays: 3,
    certificateCriticalPercent: 15,

    // Where the runbook is if no exporter reports its own address, under which it serves /docs/runbook (errno_exporter_web_info, from
    // --web.external-url), and always in Grafana's alerting; and where the dashboards are. The dashboards' UIDs are errno-overview, errno-target and errno-exporter.
    runbookURL: 'https://runbooks.example.com/runbook.md',
    grafanaURL: 'https://grafana.example.com',

    // Dashboards: matchers that every query gets ('cluster="a"', or 'cluster=~"$cluster"' with a variable of your own), the data source that is
    // selected first, also by the links of alerts (its UID; empty: Grafana's default), how many targets panels show that cannot show all of
    // them, the address of the exporter's own pages, and the time range.
    dashboardSelector: '',
    dashboardSource: '',
    dashboardTop: 20,
    dashboardExporterURL: 'http://localhost:10104',
    dashboardFrom: 'now-6h',
    dashboardRefresh: '30s',

    // Grafana-managed rules: the UID of the Prometheus data source, the folder and the organisation of the rules, and the interval at which
    // groups are evaluated that have none of their own; Grafana wants a multiple of 10 s.
    grafanaDatasource: 'prometheus',
    grafanaFolder: 'errno_exporter',
    grafanaOrganisation: 1,
    grafanaInterval: '30s',
  },
}
