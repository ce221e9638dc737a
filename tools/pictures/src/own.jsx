// State timelines and heatmaps: Grafana does not publish the components of these two panels, so these draw what they show.
const React = require('react');

const clock = (ms) => new Date(ms).toISOString().slice(11, 16);

function Axis({from, to, left, width, y, color}) {
  const hours = (to - from) / 3600e3, step = hours > 5 ? 3600e3 : hours > 1 ? 900e3 : 300e3, ticks = [];
  for (let t = Math.ceil(from / step) * step; t < to; t += step) ticks.push(t);
  return ticks.map((t) => <text key={t} x={left + width * (t - from) / (to - from)} y={y} fill={color} fontSize="11" textAnchor="middle">{clock(t)}</text>);
}

// merged are the stretches of equal values.
const merged = (times, values, step) => times.reduce((all, t, i) => {
  const last = all.at(-1);
  if (last && last[1] === t && last[2] === values[i]) last[1] = t + step; else all.push([t, t + step, values[i]]);
  return all;
}, []);

// Timeline has a line per frame, colored by the mapping of the value.
export function Timeline({frames, from, to, width, height, theme}) {
  const left = Math.min(300, 20 + 7 * Math.max(...frames.map((f) => f.fields[1].config.displayNameFromDS.length))), each = (height - 46) / frames.length;
  const mapping = frames[0].fields[1].config.mappings[0].options, color = (v) => theme.visualization.getColorByName(mapping[v]?.color ?? 'gray');
  const inner = width - left - 4;
  return <svg width={width} height={height} fontFamily={theme.typography.fontFamily}>
    {frames.map((frame, row) => {
      const [time, value] = frame.fields, step = time.values.length > 1 ? Math.min(...time.values.slice(1).map((t, i) => t - time.values[i])) : 60e3;
      return <g key={row}>
        <text x={left - 8} y={each * (row + 0.5) + 4} fill={theme.colors.text.primary} fontSize="12" textAnchor="end">{value.config.displayNameFromDS}</text>
        {merged(time.values, value.values, step).map(([t, until, v]) => <rect key={t} x={left + inner * (t - from) / (to - from)} y={each * row + each * 0.08}
          width={inner * (Math.min(until, to) - t) / (to - from)} height={each * 0.84} fill={color(v)} fillOpacity="0.8" />)}
      </g>;
    })}
    <Axis from={from} to={to} left={left} width={inner} y={each * frames.length + 14} color={theme.colors.text.secondary} />
    {Object.values(mapping).map(({text, color: c}, i) => <g key={text} transform={`translate(${left + 110 * i}, ${height - 16})`}>
      <rect width="14" height="4" y="4" fill={theme.visualization.getColorByName(c)} /><text x="20" y="10" fill={theme.colors.text.primary} fontSize="12">{text}</text></g>)}
  </svg>;
}

// Heatmap has a row per bucket; the frames are cumulative, as Prometheus' classic histograms are.
export function Heatmap({frames, from, to, width, height, theme}) {
  const bound = (f) => f.fields[1].labels.le === '+Inf' ? Infinity : Number(f.fields[1].labels.le);
  const sorted = [...frames].sort((a, b) => bound(a) - bound(b));
  const cells = sorted.flatMap((frame, row) => frame.fields[0].values.map((t, i) => ({
    t, row, n: frame.fields[1].values[i] - (row ? sorted[row - 1].fields[1].values[i] : 0),
  }))).filter((c) => c.n > 1e-9);
  const rows = [...new Set(cells.map((c) => c.row))].sort((a, b) => a - b), low = rows[0], lines = rows.at(-1) - low + 1;
  const most = Math.max(...cells.map((c) => c.n)), left = 60, inner = width - left - 4, each = (height - 22) / lines;
  const times = sorted[0].fields[0].values, step = times.length > 1 ? times[1] - times[0] : 60e3;
  const label = (s) => s === Infinity ? '> 10 s' : s < 1 ? `${s * 1000} ms` : `${s} s`;
  return <svg width={width} height={height} fontFamily={theme.typography.fontFamily}>
    {cells.map((c) => <rect key={c.t + ' ' + c.row} x={left + inner * (c.t - from) / (to - from)} y={each * (low + lines - 1 - c.row)} width={inner * step / (to - from) - 0.3} height={each - 1}
      fill={`hsl(${40 - 30 * (c.n / most) ** 0.5}, 90%, ${30 + 35 * (c.n / most) ** 0.5}%)`} />)}
    {Array.from({length: lines}, (_, i) => <text key={i} x={left - 6} y={each * (lines - 1 - i) + 4 + each * 0.1} fill={theme.colors.text.secondary} fontSize="11" textAnchor="end">
      {label(bound(sorted[low + i]))}</text>)}
    <Axis from={from} to={to} left={left} width={inner} y={height - 4} color={theme.colors.text.secondary} />
  </svg>;
}
