// The rules of errno_exporter as a mixin: prometheusRules and prometheusAlerts, by what _config says.
(import 'config.libsonnet') + (import 'recording.libsonnet') + (import 'alerts.libsonnet')
