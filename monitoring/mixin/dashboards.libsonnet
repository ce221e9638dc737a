// The dashboards, by the names of their files.
{
  grafanaDashboards+:: {
    'overview.json': import 'dashboards/overview.libsonnet',
    'target.json': import 'dashboards/target.libsonnet',
    'exporter.json': import 'dashboards/exporter.libsonnet',
  },
}
