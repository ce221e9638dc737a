// What is around the panels: variables, links, annotations.
local source = { type: 'prometheus', uid: '${datasource}' };

function(config) {
  local p = (import 'panels.libsonnet')(config),

  local sourceVariable = {
    name: 'datasource',
    label: 'Data source',
    type: 'datasource',
    query: 'prometheus',
    current: if config.dashboardSource == '' then {} else { selected: true, text: config.dashboardSource, value: config.dashboardSource },
    hide: 0,
    refresh: 1,
  },
  // The other variables, by the metric that only the wanted jobs have.
  local query(name, label, metric, matchers, allValue) = {
    local text = 'label_values(%s{%s}, %s)' % [metric, matchers, name],
    name: name,
    label: label,
    type: 'query',
    datasource: source,
    query: { query: text, refId: name },
    definition: text,
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: allValue,
    current: { selected: true, text: ['All'], value: ['$__all'] },
    hide: 0,
  },
  local extra = config.dashboardSelector,
  job(metric):: query('job', 'Job', metric, extra, '.+'),
  instance(metric):: query('instance', 'Instance', metric, (if extra == '' then '' else extra + ', ') + 'job=~"$job"', '.+'),
  target:: query('target', 'Target', 'probe_success', p.expand('@all'), '.*')
           + { description: 'Empty with one scrape per target: there the instance is the target.' },
  // The address of the exporter's own pages, for links: of the selected exporters, or where they are no exporters because one scrape is one
  // probe, of any; else what the mixin has.
  exporter:: {
    local webInfo(matchers) = 'max by (external_url) (errno_exporter_web_info{%s})' % std.join(', ', std.filter(function(m) m != '', matchers)),
    local text = 'query_result(%s or on () %s or on () label_replace(vector(1), "external_url", "%s", "", ""))' %
                 [webInfo([extra, 'instance=~"$instance"']), webInfo([extra]), config.dashboardExporterURL],
    name: 'exporter',
    label: 'Exporter',
    type: 'query',
    datasource: source,
    query: { query: text, refId: 'exporter' },
    definition: text,
    regex: '/external_url="([^"]+)"/',
    refresh: 2,
    sort: 1,
    multi: false,
    includeAll: false,
    current: { text: config.dashboardExporterURL, value: config.dashboardExporterURL },
    hide: 0,
    description: "Address of the exporter's pages, for links to targets and records: --web.external-url, or the mixin's dashboardExporterURL.",
  },
  top:: {
    local numbers = std.set([10, 20, 50, 100, config.dashboardTop]),
    local option(n) = { selected: n == config.dashboardTop, text: '%d' % n, value: '%d' % n },
    name: 'top',
    label: 'At most',
    type: 'custom',
    query: std.join(',', ['%d' % n for n in numbers]),
    options: [option(n) for n in numbers],
    current: option(config.dashboardTop),
    multi: false,
    includeAll: false,
    hide: 0,
    description: 'How many targets panels show that cannot show all: those that are worst in the time range.',
  },

  // Links to the dashboard of one target keep every variable. labels is where a panel has the target's labels: fields of a table's row, or
  // labels of a series.
  local toTarget(labels) = {
    title: 'This target in depth',
    url: '/d/errno-target?' + std.join('&', [
      'var-datasource=${datasource}',
      'var-job=${%s.job:percentencode}' % labels,
      'var-instance=${%s.instance:percentencode}' % labels,
      'var-target=${%s.target_variable:percentencode}' % labels,
      'var-exporter=${exporter:percentencode}',
      'var-top=${top}',
      '${__url_time_range}',
    ]),
  },
  local page(name) = { title: 'Its page', url: '${exporter}/targets/${%s:percentencode}' % name, targetBlank: true },
  // The incident of a point's time, or in a table the last one of the time range: Unix milliseconds.
  local incident(name, time) = {
    title: 'Its incident',
    url: '${exporter}/incidents/latest?target=${%s:percentencode}&at=${%s}' % [name, time],
    targetBlank: true,
  },
  local records(query) = { title: 'Records of its probes', url: '${exporter}/history' + query, targetBlank: true },
  local recordsOf(name) = records('?target=${%s:percentencode}' % name),
  seriesLinks:: p.links([toTarget('__field.labels'), page('__field.labels.api'), incident('__field.labels.api', '__value.time'), recordsOf('__field.labels.api')]),
  // Columns of a table that are hidden can still be used by links. Grafana 12 has another name for that.
  local hidden(column) = p.override('byName', column, [['custom.hidden', true], ['custom.hideFrom.viz', true]]),
  // A table of failing targets, with the links in the column that names the target.
  failures(order)::
    p.columns(['Time', '__name__', 'target'], ['api', 'Value'] + order + ['instance', 'job'], { api: 'target', Value: 'last success' })
    + p.override('byName', 'last success', [['unit', 'dateTimeFromNow'], ['mappings', [p.mapping([['0', 'never', 'red']])]], ['custom.width', 130]])
    + p.override('byName', 'target', [['links', [
      toTarget('__data.fields'),
      page('__data.fields.target'),
      incident('__data.fields.target', '__to'),
      recordsOf('__data.fields.target'),
    ]]])
    + p.override('byName', 'cause', [['color', { mode: 'fixed', fixedColor: 'orange' }], ['custom.cellOptions', { type: 'color-text' }]])
    + p.widths([['party', 90], ['phase', 100], ['errno', 145], ['confidence', 100]])
    + hidden('job') + hidden('instance') + hidden('target_variable')
    + p.option({ sortBy: [{ displayName: 'last success', desc: true }] }),
  records:: p.links([records('')]),

  local byHand = {
    name: 'Annotations & Alerts',
    type: 'dashboard',
    builtIn: 1,
    datasource: { type: 'grafana', uid: '-- Grafana --' },
    enable: true,
    hide: true,
    iconColor: 'rgba(0, 211, 255, 1)',
  },
  // While an expression has a series, from its first to its last step.
  annotation(name, color, expr, title, text):: {
    name: name,
    datasource: source,
    enable: true,
    hide: false,
    iconColor: color,
    expr: p.expand(expr),
    step: '60s',
    titleFormat: title,
    textFormat: text,
    tagKeys: '',
    useValueForTime: 'false',
  },
  egressDown:: $.annotation('Egress down', 'purple', 'vantage:probe_egress_down:bool == 1', 'The egress is down', '{{vantage}}'),
  started:: $.annotation(
    'Exporter started',
    'blue',
    'time() - process_start_time_seconds{@all} < 60 and on (job, instance) errno_exporter_build_info{@all}',
    'The exporter started',
    '{{instance}}'
  ),

  dashboard(d):: {
    uid: d.uid,
    title: 'errno_exporter / ' + d.title,
    description: d.description,
    tags: ['errno_exporter'],
    editable: false,
    graphTooltip: 1,
    // Of Grafana 10: later versions migrate what they have changed since.
    schemaVersion: 38,
    version: 1,
    refresh: config.dashboardRefresh,
    time: { from: config.dashboardFrom, to: 'now' },
    timezone: 'browser',
    templating: { list: [sourceVariable] + d.variables },
    annotations: { list: [byHand] + d.annotations },
    links: [{
      title: 'errno_exporter',
      type: 'dashboards',
      tags: ['errno_exporter'],
      asDropdown: true,
      includeVars: true,
      keepTime: true,
      targetBlank: false,
      icon: '',
      tooltip: 'The other dashboards, with the same selection',
      url: '',
    }],
    panels: d.panels,
  },
}
