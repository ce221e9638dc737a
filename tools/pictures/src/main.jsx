// Required, not imported: Grafana's ES modules import the default of CommonJS ones in a way that esbuild, as Node, understands differently.
const React = require('react');
const {createRoot} = require('react-dom/client');
const {ThemeContext, createTheme, toDataFrame, FieldType, dateTime, getFieldDisplayName, getDisplayProcessor, reduceField} = require('@grafana/data');
const {BarGauge, BigValue, BigValueColorMode, BigValueGraphMode, BigValueJustifyMode, BigValueTextMode, GlobalStyles, Table, TimeSeries} = require('@grafana/ui');

const {Timeline, Heatmap} = require('./own.jsx');

require('uplot/dist/uPlot.min.css');

const {dashboard, data, from, to, mode} = window.input;
const theme = createTheme({colors: {mode}});

// named is a legend with the labels' values in it.
const named = (legend, labels) => legend === '__auto' ? Object.values(labels).join(' ') : legend.replace(/\{\{(\w+)\}\}/g, (_, name) => labels[name] ?? '').trim();

// frames are what Grafana's data source would make of the answers.
function frames(panel, answers) {
  if (panel.type === 'table') {
    const {excludeByName, indexByName, renameByName} = panel.transformations[0].options;
    const rows = answers[0].result.map((s) => ({...s.metric, Value: s.value[1]}));
    const hidden = panel.fieldConfig.overrides.filter((o) => o.properties.some((p) => p.id === 'custom.hidden')).map((o) => o.matcher.options);
    const sort = panel.options.sortBy?.[0];
    if (sort) rows.sort((a, b) => (sort.desc ? -1 : 1) * (Number(a.Value) - Number(b.Value)));
    const names = [...new Set(rows.flatMap(Object.keys))].filter((n) => !excludeByName[n] && !hidden.includes(renameByName[n] ?? n))
      .sort((a, b) => (indexByName[a] ?? 99) - (indexByName[b] ?? 99));
    return [toDataFrame({fields: names.map((name) => ({name: renameByName[name] ?? name, type: name === 'Value' ? FieldType.number : FieldType.string, config: {},
      values: rows.map((r) => name === 'Value' ? Number(r[name]) : r[name] ?? '')}))})];
  }
  return answers.flatMap(({legend, result}) => result.map((s) => {
    const points = s.values ?? [s.value];
    return toDataFrame({fields: [
      {name: 'Time', type: FieldType.time, values: points.map((p) => p[0] * 1000), config: {}},
      {name: 'Value', type: FieldType.number, values: points.map((p) => p[1] === 'NaN' ? null : Number(p[1])), labels: s.metric, config: {displayNameFromDS: named(legend, s.metric)}},
    ]});
  }));
}

// configured gives every field the panel's configuration. Grafana's own code for that needs its registry of editors, which @grafana/ui lacks.
function configured(panel, answers) {
  const {links, ...defaults} = panel.fieldConfig.defaults;
  const all = frames(panel, answers);
  all.forEach((frame, i) => frame.fields.forEach((field) => {
    if (field.type !== FieldType.time) field.config = {...defaults, ...field.config, custom: {...defaults.custom}};
    field.state = {seriesIndex: i};
    for (const o of panel.fieldConfig.overrides) {
      const {id, options} = o.matcher;
      if (id === 'byName' ? options === field.name : new RegExp(options.slice(1, -1)).test(field.config.displayNameFromDS)) {
        for (const {id, value} of o.properties) id.startsWith('custom.') ? field.config.custom[id.slice(7)] = value : field.config[id] = value;
      }
    }
    field.display = getDisplayProcessor({field, theme, timeZone: 'utc'});
  }));
  return all;
}

const legend = (panel) => ({...panel.options.legend, displayMode: 'list', calcs: []});

function Panel({panel, answers, width, height}) {
  const all = configured(panel, answers);
  const inner = {width: width - 16, height: height - 40};
  if (all.length === 0 || all[0].fields.length === 0 || all[0].fields[0].values.length === 0) {
    return <p style={{color: theme.colors.text.secondary}}>{panel.fieldConfig.defaults.noValue ?? 'No data'}</p>;
  }
  if (panel.type === 'timeseries') {
    return <TimeSeries frames={all} timeRange={{from: dateTime(from), to: dateTime(to), raw: {from: dateTime(from), to: dateTime(to)}}} timeZone="utc" legend={legend(panel)} {...inner} />;
  }
  if (panel.type === 'table') {
    return <Table data={all[0]} {...inner} />;
  }
  if (panel.type === 'state-timeline') {
    return <Timeline frames={all} {...{from, to, theme}} {...inner} />;
  }
  if (panel.type === 'heatmap') {
    return <Heatmap frames={all} {...{from, to, theme}} {...inner} />;
  }
  const shown = all.map((frame) => {
    const field = frame.fields[1];
    return {field, name: getFieldDisplayName(field, frame, all), value: field.display(reduceField({field, reducers: ['lastNotNull']}).lastNotNull)};
  });
  if (panel.type === 'bargauge') {
    const each = inner.height / Math.max(shown.length, 1);
    return shown.map(({field, name, value}) => <BarGauge key={name} theme={theme} field={field.config} display={field.display} value={{...value, title: name}}
      orientation="horizontal" displayMode="basic" showUnfilled width={inner.width} height={each - 4} alignmentFactors={{title: 'reset-after-request exporter:10104', text: '100%'}} />);
  }
  const each = inner.width / Math.max(shown.length, 1);
  return <div style={{display: 'flex'}}>{shown.map(({name, value}) => <BigValue key={name} theme={theme} width={each} height={inner.height}
    value={shown.length > 1 || panel.options.textMode !== 'auto' ? {...value, title: name} : value} colorMode={panel.options.colorMode === 'background' ? BigValueColorMode.Background : BigValueColorMode.Value}
    graphMode={BigValueGraphMode.None} justifyMode={BigValueJustifyMode.Auto} textMode={{name: BigValueTextMode.Name, value_and_name: BigValueTextMode.ValueAndName}[panel.options.textMode] ?? BigValueTextMode.Auto} />)}</div>;
}

// Safe shows what went wrong in the place of a panel that cannot be drawn.
class Safe extends React.Component {
  state = {};
  static getDerivedStateFromError(error) { return {error}; }
  render() { return this.state.error ? <pre>{String(this.state.error.stack)}</pre> : this.props.children; }
}

const column = 1500 / 24, row = 38;
const box = (p) => ({position: 'absolute', left: p.gridPos.x * column + 4, top: p.gridPos.y * row + 50, width: p.gridPos.w * column - 8, height: p.gridPos.h * row - 8,
  background: p.type === 'row' ? 'none' : theme.colors.background.primary, border: p.type === 'row' ? 'none' : `1px solid ${theme.colors.border.weak}`, borderRadius: 2, padding: '4px 8px', boxSizing: 'border-box', overflow: 'hidden'});

createRoot(document.getElementById('root')).render(
  <ThemeContext.Provider value={theme}>
    <GlobalStyles />
    <div style={{position: 'relative', width: 1500, height: '100vh', background: theme.colors.background.canvas, color: theme.colors.text.primary, fontFamily: theme.typography.fontFamily}}>
      <h1 style={{fontSize: 20, margin: 0, padding: '12px 8px'}}>{dashboard.title}</h1>
      {dashboard.panels.map((panel, i) => <div key={panel.id} style={box(panel)}>
        <div style={{fontSize: 14, fontWeight: 500, height: 26}}>{panel.type === 'row' ? (panel.collapsed ? '› ' : '⌄ ') : ''}{panel.title}
          {panel.collapsed ? <span style={{color: theme.colors.text.secondary}}> ({panel.panels.length} panels)</span> : null}</div>
        <Safe>{panel.type === 'row' ? null : <Panel panel={panel} answers={data[i]} width={panel.gridPos.w * column - 8} height={panel.gridPos.h * row - 8} />}</Safe>
      </div>)}
    </div>
  </ThemeContext.Provider>,
);
