// A dashboard as grafana.com has it: __inputs is what the import asks for, __requires the versions it needs. Provisioned dashboards have
// neither, because nobody is asked there.
local source = 'DS_PROMETHEUS';

local nested(panels) = std.flattenArrays([[p] + nested(std.get(p, 'panels', [])) for p in panels]);
local names = {
  bargauge: 'Bar gauge',
  heatmap: 'Heatmap',
  'state-timeline': 'State timeline',
  stat: 'Stat',
  table: 'Table',
  timeseries: 'Time series',
};

function(dashboard) dashboard {
  __inputs: [
    { name: source, label: 'Prometheus', description: '', type: 'datasource', pluginId: 'prometheus', pluginName: 'Prometheus' },
  ],
  __elements: {},
  __requires: [
    { type: 'grafana', id: 'grafana', name: 'Grafana', version: '10.0.0' },
    { type: 'datasource', id: 'prometheus', name: 'Prometheus', version: '1.0.0' },
  ] + [
    { type: 'panel', id: type, name: names[type], version: '' }
    for type in std.set([p.type for p in nested(dashboard.panels) if p.type != 'row'])
  ],
  id: null,
  templating+: { list: [
    if v.type == 'datasource' then v { current: { selected: false, text: 'Prometheus', value: '${' + source + '}' } } else v
    for v in dashboard.templating.list
  ] },
}
