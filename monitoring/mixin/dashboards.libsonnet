// The dashboards, by the names of their files: grafanaDashboards to be provisioned, and grafanaExports for grafana.com, whose import asks
// for the data source.
{
  local config = self._config,
  local dashboards = {
    'overview.json': import 'dashboards/overview.libsonnet',
    'target.json': import 'dashboards/target.libsonnet',
    'exporter.json': import 'dashboards/exporter.libsonnet',
  },
  local made = { [name]: dashboards[name](config) for name in std.objectFields(dashboards) },
  local exported = import 'dashboards/export.libsonnet',

  grafanaDashboards+:: made,
  grafanaExports+:: { [name]: exported(made[name]) for name in std.objectFields(made) },
}
