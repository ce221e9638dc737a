// Parts of dashboards: panels by type, queries, places. Every panel has an id of its own that never changes, because links and Grafana's
// alerts name it.
local lib = import '../lib.libsonnet';

function(config) {
  local source = { type: 'prometheus', uid: '${datasource}' },
  local steps(list) = { mode: 'absolute', steps: [{ color: s[0], value: s[1] } for s in list] },
  local green = [['green', null]],

  // In queries @all is the matchers of the selected exporters, and @one those of the selected targets.
  local all = (if config.dashboardSelector == '' then '' else config.dashboardSelector + ', ') + 'job=~"$job", instance=~"$instance"',
  expand(expr):: std.strReplace(std.strReplace(std.rstripChars(expr, '\n'), '@one', '@all, target=~"$target"'), '@all', all),
  key:: lib.key,

  // named adds the labels api, the target's name, or its URL where it is scraped by /probe; and target_variable, what a link gives the
  // variable target: all, where there is no such label.
  named(expr):: 'label_replace(label_replace(%s, "target_variable", "$$__all", "", ""), "target_variable", "$1", "target", "(.+)")'
                % lib.withAPI('(\n%s\n)' % std.rstripChars(expr, '\n')),

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
  // With exemplars, whose trace_id leads to the record of the probe.
  exemplars:: { targets: [t { exemplar: true } for t in super.targets] },

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
    fillOpacity: 0,
    showPoints: 'never',
    spanNulls: false,
    stacking: { mode: 'none', group: 'A' },
  }) + $.field({ min: 0 }) + {
    options: {
      legend: { displayMode: 'table', placement: 'bottom', calcs: ['lastNotNull', 'max'], showLegend: true },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  },
  table(id, title, description):: panel('table', id, title, description) + defaults('short', 'thresholds', {
    align: 'auto',
    cellOptions: { type: 'auto' },
    filterable: true,
    inspect: false,
  }) + {
    options: { showHeader: true, cellHeight: 'sm', footer: { show: false, reducer: ['sum'], countRows: false, fields: '' } },
  },
  bargauge(id, title, description, unit):: panel('bargauge', id, title, description) + defaults(unit, 'thresholds', {}) + {
    options: { displayMode: 'basic', orientation: 'horizontal', showUnfilled: true, reduceOptions: last, valueMode: 'color' },
  },
  // One line per series, colored by the value: what was when. Steps of two minutes have two samples of the slowest scrapes.
  timeline(id, title, description):: panel('state-timeline', id, title, description)
                                     + defaults('short', 'thresholds', { fillOpacity: 80, lineWidth: 0 }) + {
    interval: '2m',
    options: {
      showValue: 'never',
      rowHeight: 0.85,
      mergeValues: true,
      alignValue: 'left',
      legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
      tooltip: { mode: 'single', sort: 'none' },
    },
  },
  // How many attempts took how long, from native histograms, or from classic ones where there are none.
  heatmap(id, title, description, matchers):: panel('heatmap', id, title, description) + {
    interval: '2m',
    targets: [{
      refId: 'A',
      datasource: source,
      expr: $.expand(|||
        sum(increase(probe_phase_duration_seconds{%(matchers)s}[$__interval]))
        or on ()
          sum by (le) (increase(probe_phase_duration_seconds_bucket{%(matchers)s}[$__interval]))
      ||| % { matchers: matchers }),
      legendFormat: '{{le}}',
      range: true,
      instant: false,
      format: 'heatmap',
      exemplar: true,
    }],
    fieldConfig: {
      defaults: { unit: 's', custom: { scaleDistribution: { type: 'linear' }, hideFrom: { legend: false, tooltip: false, viz: false } } },
      overrides: [],
    },
    options: {
      calculate: false,
      cellGap: 1,
      cellValues: { unit: 'short' },
      color: { mode: 'scheme', scheme: 'Oranges', fill: 'dark-orange', scale: 'exponential', exponent: 0.5, steps: 64, reverse: false },
      exemplars: { color: 'rgba(255,0,255,0.7)' },
      filterValues: { le: 1e-09 },
      legend: { show: true },
      rowsFrame: { layout: 'auto' },
      showValue: 'never',
      tooltip: { mode: 'single', show: true, yHistogram: true },
      yAxis: { axisPlacement: 'left', reverse: false, unit: 's' },
    },
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
  texts(list):: $.field({ mappings: [$.mapping(list)] }),
  mapping(list):: {
    type: 'value',
    options: { [list[i][0]]: { text: list[i][1], color: list[i][2], index: i } for i in std.range(0, std.length(list) - 1) },
  },
  links(list):: $.field({ links: list }),
  // Of a table: columns that are not shown, the others in order, and what they are called.
  columns(hidden, order, names={}):: { transformations: [{ id: 'organize', options: {
    excludeByName: { [name]: true for name in hidden },
    indexByName: { [order[i]]: i for i in std.range(0, std.length(order) - 1) },
    renameByName: names,
  } }] },
  widths(list):: std.foldl(function(all, w) all + $.override('byName', w[0], [['custom.width', w[1]]]), list, {}),
  background:: $.option({ colorMode: 'background' }),
  // Of a stat: also what the values belong to, even of a single one.
  named_values:: $.option({ textMode: 'value_and_name' }),
  stacked:: $.custom({ fillOpacity: 50, stacking: { mode: 'normal', group: 'A' } }),
  // A bar is the increase over its own step; a step of two minutes has two samples of the slowest scrapes.
  bars:: $.custom({ drawStyle: 'bars', fillOpacity: 60, stacking: { mode: 'normal', group: 'A' } }) + { interval: '2m' },
  legendOnTheRight:: $.option({ legend+: { displayMode: 'list', placement: 'right', calcs: [] } }),

  size(w, h):: { gridPos: { w: w, h: h } },
  row(id, title, panels, collapsed=true):: { id: id, title: title, panels: panels, collapsed: collapsed },

  // flow gives panels their places below a line, from left to right.
  local flow(panels, top) = std.foldl(
    function(s, panel)
      local g = panel.gridPos, wraps = s.x + g.w > 24;
      local x = if wraps then 0 else s.x, y = if wraps then s.bottom else s.y;
      {
        x: x + g.w,
        y: y,
        bottom: std.max(s.bottom, y + g.h),
        panels: s.panels + [panel { gridPos+: { x: x, y: y } }],
      },
    panels,
    { x: 0, y: top, bottom: top, panels: [] }
  ),
  // The panels that stand at the top, and rows below them.
  places(top, rows):: std.foldl(
    function(s, row)
      local inside = flow(row.panels, s.bottom + 1);
      local line = { id: row.id, type: 'row', title: row.title, collapsed: row.collapsed, gridPos: { x: 0, y: s.bottom, w: 24, h: 1 } };
      if row.collapsed then s { bottom: s.bottom + 1, panels+: [line { panels: inside.panels }] }
      else s { bottom: inside.bottom, panels+: [line { panels: [] }] + inside.panels },
    rows,
    flow(top, 0)
  ).panels,
}
