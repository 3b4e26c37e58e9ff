// What a chart says in words: its legend, what is under the pointer, and the table that tells the same.
import { spanText, valueText } from "./figures.js";

export function named(element, series) {
  const swatch = document.createElement("i");
  swatch.className = `chart-swatch tone-${series.tone || "info"}`;
  element.append(swatch, series.label);
  return element;
}

export function pointRows(data, at, unit) {
  const head = document.createElement("b");
  head.textContent = spanText(data.x[at], Math.min(data.x[at] + data.step, data.end));
  const rows = data.series.map((series) => {
    const row = named(document.createElement("div"), series);
    const told = document.createElement("span");
    told.textContent = valueAt(series, at, unit);
    row.append(told);
    return row;
  });
  return [head, ...rows];
}

// The newest first.
export function tableRows(data, unit) {
  const rows = data.x.map((start, at) => {
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = spanText(start, start + data.step);
    row.append(head);
    for (const series of data.series) {
      const cell = row.insertCell();
      cell.className = "num";
      cell.textContent = valueAt(series, at, unit);
    }
    return row;
  });
  return rows.reverse();
}

function valueAt(series, at, unit) {
  const value = series.values[at] ?? null;
  return value === null ? "–" : valueText(value, unit);
}
