// The rules and dashboards of errno_exporter as a mixin: prometheusRules, prometheusAlerts, grafanaDashboards and
// grafanaAlerting, by what _config says.
(import 'config.libsonnet') + (import 'recording.libsonnet') + (import 'alerts.libsonnet') + (import 'dashboards.libsonnet') +
(import 'grafana_alerting.libsonnet')
