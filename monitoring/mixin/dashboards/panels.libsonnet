// Parts of dashboards: panels by type, queries, variables, links. Every panel has an id of its own that never changes, because links and
// Grafana's alerts name it.
{
  local source = { type: 'prometheus', uid: '${datasource}' },
  local steps(list) = { mode: 'absolute', steps: [{ color: s[0], value: s[1] } for s in list] },
  local green = [['green', null]],

  // In queries @all is the matchers of the selected exporters, and @one those of the selected targets.
  expand(expr):: std.strReplace(std.strReplace(expr, '@one', '@all, target=~"$target"'), '@all', 'job=~"$job", instance=~"$instance"'),

  at(x, y, w, h):: { gridPos: { x: x, y: y, w: w, h: h } },

  // Queries by legend, in the order in which they are given.
  over(queries):: { targets: [
    { refId: std.char(65 + i), datasource: source, expr: $.expand(queries[i][1]), legendFormat: queries[i][0], range: true, instant: false }
    for i in std.range(0, std.length(queries) - 1)
  ] },
  now(legend, expr):: { targets: [
    { refId: 'A', datasource: source, expr: $.expand(expr), legendFormat: legend, range: false, instant: true },
  ] },
  rows(expr):: { targets: [
    { refId: 'A', datasource: source, expr: $.expand(expr), legendFormat: '__auto', range: false, instant: true, format: 'table' },
  ] },

  local panel(type, id, title, description) = { id: id, type: type, title: title, description: description, datasource: source },
  local defaults(unit, color, custom) = { fieldConfig: {
    defaults: { unit: unit, color: { mode: color }, custom: custom, mappings: [], thresholds: steps(green) },
    overrides: [],
  } },
  local last = { calcs: ['lastNotNull'], fields: '', values: false },

  stat(id, title, description, unit='short'):: panel('stat', id, title, description) + defaults(unit, 'thresholds', {}) + {
    options: { reduceOptions: last, colorMode: 'value', graphMode: 'none', textMode: 'auto', justifyMode: 'auto', orientation: 'auto' },
  },
  timeseries(id, title, description, unit='short'):: panel('timeseries', id, title, description) + defaults(unit, 'palette-classic', {
    drawStyle: 'line',
    lineWidth: 1,
    fillOpacity: 10,
    showPoints: 'never',
    spanNulls: false,
    stacking: { mode: 'none', group: 'A' },
  }) + $.field({ min: 0 }) + {
    options: {
      legend: { displayMode: 'table', placement: 'bottom', calcs: ['lastNotNull', 'max'], showLegend: true },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  },
  table(id, title, description):: panel('table', id, title, description) + defaults('short', 'palette-classic', {}) + {
    options: { showHeader: true, cellHeight: 'sm', footer: { show: false } },
  },
  bargauge(id, title, description, unit):: panel('bargauge', id, title, description) + defaults(unit, 'thresholds', {}) + {
    options: { displayMode: 'basic', orientation: 'horizontal', showUnfilled: true, reduceOptions: last, valueMode: 'color' },
  },

  // Changes of a panel.
  field(more):: { fieldConfig+: { defaults+: more } },
  custom(more):: { fieldConfig+: { defaults+: { custom+: more } } },
  option(more):: { options+: more },
  override(matcher, options, properties):: { fieldConfig+: { overrides+: [{
    matcher: { id: matcher, options: options },
    properties: [{ id: p[0], value: p[1] } for p in properties],
  }] } },
  thresholds(list):: $.field({ thresholds: steps(list) }),
  // Texts and colors of values, in this order.
  texts(list):: $.field({ mappings: [{
    type: 'value',
    options: { [list[i][0]]: { text: list[i][1], color: list[i][2], index: i } for i in std.range(0, std.length(list) - 1) },
  }] }),
  link(title, url):: $.field({ links: [{ title: title, url: url }] }),
  linkInNewTab(title, url):: $.field({ links: [{ title: title, url: url, targetBlank: true }] }),
  columns(hidden, order):: { transformations: [{ id: 'organize', options: {
    excludeByName: { [name]: true for name in hidden },
    indexByName: { [order[i]]: i for i in std.range(0, std.length(order) - 1) },
    renameByName: {},
  } }] },
  widths(list):: std.foldl(function(all, w) all + $.override('byName', w[0], [['custom.width', w[1]]]), list, {}),
  background:: $.option({ colorMode: 'background' }),
  lines:: $.custom({ fillOpacity: 0 }),
  stacked:: $.custom({ fillOpacity: 50, stacking: { mode: 'normal', group: 'A' } }),
  // A bar is the increase over its own step; a step of two minutes has two samples of the slowest scrapes.
  bars:: $.custom({ drawStyle: 'bars', fillOpacity: 60, stacking: { mode: 'normal', group: 'A' } }) + { interval: '2m' },

  // Variables.
  sourceVariable:: {
    name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', current: {}, hide: 0, refresh: 1,
  },
  variable(name, label, query, allValue='.+'):: {
    name: name,
    label: label,
    type: 'query',
    datasource: source,
    query: { query: query, refId: name },
    definition: query,
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: allValue,
    current: { selected: true, text: ['All'], value: ['$__all'] },
    hide: 0,
  },

  dashboard(uid, title, description, variables, panels):: {
    uid: uid,
    title: 'errno_exporter / ' + title,
    description: description,
    tags: ['errno_exporter'],
    editable: false,
    graphTooltip: 1,
    schemaVersion: 39,
    version: 1,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    timezone: 'browser',
    templating: { list: [$.sourceVariable] + variables },
    annotations: { list: [] },
    links: [{
      title: 'errno_exporter', type: 'dashboards', tags: ['errno_exporter'], asDropdown: true, includeVars: true, keepTime: true,
    }],
    panels: panels,
  },
}
