// How the series of a chart look.
const root = document.documentElement;

export function colour(tone) {
  return getComputedStyle(root).getPropertyValue(`--chart-${tone || "info"}`).trim() || "#888888";
}

// For uPlot; `kind` is line, area or bars.
export function drawnAs(series, kind) {
  const stroke = () => colour(series.tone);
  const alone = (plot, place) => {
    const values = plot.data[place];
    return values.map((value, at) => (value !== null && values[at - 1] == null && values[at + 1] == null ? at : -1)).filter((at) => at >= 0);
  };
  if (kind === "bars") {
    const paths = uPlot.paths.bars({ size: [0.82, 40], radius: 0.1 });
    return { stroke, fill: stroke, width: 0, paths, points: { show: false } };
  }
  const points = { show: true, size: 4, fill: stroke, filter: alone };
  const fill = kind === "area" ? () => `${colour(series.tone)}2e` : undefined;
  return { stroke, fill, width: 1.75, points, dash: series.dash, spanGaps: false };
}
