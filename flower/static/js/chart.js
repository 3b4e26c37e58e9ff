// Charts: <figure class="chart" data-src="address of its JSON"> with a table to fall back on, drawn by uPlot.
// The first data may come with the page, in <script type="application/json">; see flower/views/charts.py.
// data-kind (line, area, bars), data-stacked, data-log, data-unit, data-height, data-sync: the look.
// data-link: where a click leads, data-zoom: where a drag leads, both with start and end of what was meant.
import { address } from "./chart_links.js";
import { colour, drawnAs } from "./chart_look.js";
import { DURATIONS, decades, top, whole } from "./chart_scales.js";
import { load } from "./chart_source.js";
import { named, pointRows, tableRows } from "./chart_words.js";
import { clockText, durationText, valueText } from "./figures.js";
import { say } from "./say.js";

const PAUSE = 5000;
const SETTLED = 3200; // by then the server has summed up what an event told of
const HEIGHT = 180;
const drawn = new Map(); // figure -> its chart
const root = document.documentElement;

class Chart {
  constructor(figure) {
    this.figure = figure;
    this.look = figure.dataset;
    this.asked = Date.now();
    this.host = document.createElement("div");
    this.host.className = "chart-plot";
    this.host.setAttribute("aria-hidden", "true"); // the table tells the same
    this.host.style.minHeight = `${this.height}px`;
    this.tip = document.createElement("div");
    this.tip.className = "chart-tip";
    this.tip.hidden = true;
    const caption = figure.querySelector("figcaption");
    if (caption) caption.after(this.host);
    else figure.prepend(this.host);
    figure.querySelector("details")?.addEventListener("toggle", () => this.tell());
    new ResizeObserver(() => this.resize()).observe(this.host);
    const given = figure.querySelector('script[type="application/json"]');
    if (given) this.show(JSON.parse(given.textContent));
    else this.ask();
  }

  get height() {
    return Number(this.look.height) || HEIGHT;
  }

  get unit() {
    return this.data.unit ?? this.look.unit ?? "";
  }

  kind(series) {
    return series.kind ?? this.look.kind ?? "line";
  }

  span() {
    const { start, end, step, x } = this.data;
    return [start, Math.max(end, x.length ? x[x.length - 1] + step : end)];
  }

  // Asking

  later() {
    if (this.waiting || !this.look.src) return;
    this.waiting = setTimeout(() => this.ask(), Math.max(SETTLED, PAUSE - (Date.now() - this.asked)));
  }

  async ask() {
    this.waiting = undefined;
    this.asked = Date.now();
    if (document.hidden || !this.figure.isConnected) return;
    try {
      const told = await load(this.look.src);
      this.show(told.charts ? told.charts[this.figure.id.replace("chart-", "")] : told);
    } catch {
      // What is drawn stays; the connection sign tells that the server is away.
      if (!this.data) this.note(say("chart.lost"));
    }
  }

  // Drawing

  show(data) {
    const shape = JSON.stringify([data.unit, data.series.map((each) => [each.name, each.label, each.tone, each.kind])]);
    this.data = data;
    this.stacks = this.stacked();
    // What lies below in a stack is drawn later, so that it covers; lines cross everything.
    const line = (place) => Number(this.kind(data.series[place]) === "line");
    this.order = [...data.series.keys()].sort((one, other) => line(one) - line(other) || other - one);
    // Nothing counted is nothing; no time at all is a time.
    const told = (value) => ("log" in this.look ? value !== null : value);
    const empty = !data.series.some((series) => series.values.some(told));
    this.note(empty ? (this.look.empty ?? say("chart.empty")) : "");
    if (this.plot && this.shape === shape) this.plot.setData(this.columns());
    else this.draw();
    this.shape = shape;
    this.tell();
  }

  note(text) {
    this.host.dataset.said = text;
  }

  // The upper edge of each series; those that are not stacked keep their values.
  stacked() {
    const sums = [];
    return this.data.series.map((series) => {
      if (!("stacked" in this.look) || this.kind(series) === "line") return series.values;
      return series.values.map((value, at) => (sums[at] = (sums[at] ?? 0) + (value ?? 0)));
    });
  }

  // Values stand in the middle of their step.
  columns() {
    const least = "log" in this.look ? DURATIONS[0] : null;
    const edges = this.stacks.map((values) =>
      least === null ? values : values.map((value) => (value === null ? null : Math.max(least, value))),
    );
    return [this.data.x.map((start) => start + this.data.step / 2), ...this.order.map((place) => edges[place])];
  }

  draw() {
    this.plot?.destroy();
    this.plot = null;
    const width = this.host.clientWidth;
    if (!width) return; // drawn as soon as it is seen
    this.plot = new uPlot(this.options(width), this.columns(), this.host);
    this.plot.over.append(this.tip);
    this.plot.over.addEventListener("click", (event) => this.clicked(event));
    this.plot.over.addEventListener("dblclick", () => this.zoom(null));
    this.plot.over.addEventListener("mouseleave", () => (this.tip.hidden = true));
    this.legend();
  }

  resize() {
    const width = this.host.clientWidth;
    if (!width || !this.data) return;
    if (!this.plot) this.draw();
    else if (width !== this.plot.width) this.plot.setSize({ width, height: this.height });
  }

  options(width) {
    const log = "log" in this.look;
    const ink = () => colour("ink");
    const grid = { stroke: () => colour("line"), width: 1 };
    const axis = { stroke: ink, font: "11px system-ui, sans-serif", ticks: { show: false }, grid };
    return {
      width,
      height: this.height,
      padding: [10, 16, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false, dist: 6 },
        points: { size: 7 },
        ...(this.look.sync ? { sync: { key: this.look.sync } } : {}),
      },
      scales: {
        x: { time: true, range: () => this.zoomed ?? this.span() },
        y: { distr: log ? 3 : 1, range: (plot, least, most) => (log ? decades(least, most) : [0, top(most)]) },
      },
      axes: [
        { ...axis, grid: { show: false }, space: 64, size: 30, gap: 8, values: (plot, at) => this.times(at) },
        {
          ...axis,
          size: 58,
          gap: 6,
          space: 32,
          incrs: this.unit === "s" ? undefined : whole(),
          splits: log ? (plot) => DURATIONS.filter((at) => at >= plot.scales.y.min && at <= plot.scales.y.max) : undefined,
          filter: (plot, splits) => splits,
          values: (plot, at) => at.map((value) => (this.unit === "s" ? durationText(value) : valueText(value, "", true))),
        },
      ],
      series: [{}, ...this.order.map((place) => drawnAs(this.data.series[place], this.kind(this.data.series[place])))],
      hooks: { setCursor: [(plot) => this.hover(plot)], setSelect: [(plot) => this.selected(plot)] },
    };
  }

  legend() {
    const list = this.figure.querySelector("[data-legend]");
    list?.replaceChildren(...this.data.series.map((series) => named(document.createElement("li"), series)));
  }

  times(splits) {
    const span = splits.length > 1 ? splits[1] - splits[0] : this.data.step;
    let day = null;
    return splits.map((at) => {
      const { date, text } = clockText(at, span);
      const shown = span >= 86400 || (day !== null && date !== day) ? date : text;
      day = date;
      return shown;
    });
  }

  // Under the pointer

  hover(plot) {
    const at = plot.cursor.idx;
    const own = plot.cursor.event && plot.over.matches(":hover");
    this.tip.hidden = at == null || !own;
    if (this.tip.hidden) return;
    this.tip.replaceChildren(...pointRows(this.data, at, this.unit));
    const place = plot.valToPos(this.data.x[at] + this.data.step / 2, "x");
    const width = this.tip.offsetWidth;
    const left = place + 14 + width > plot.over.clientWidth ? place - 14 - width : place + 14;
    this.tip.style.transform = `translate(${Math.max(-50, left)}px, 4px)`;
    plot.over.style.cursor = this.target(plot) ? "pointer" : "crosshair";
  }

  // The series that is meant by the place of the pointer: the bar that it is in, else the nearest.
  meant(plot) {
    const { idx, top: y } = plot.cursor;
    if (idx == null) return null;
    const value = plot.posToVal(y, "y");
    const seen = this.data.series.map((series, place) => ({ series, edge: this.stacks[place][idx] })).filter((each) => each.edge);
    if (!seen.length) return null;
    const piled = "stacked" in this.look && seen.find((each) => this.kind(each.series) !== "line" && value <= each.edge && each.series.values[idx]);
    if (piled) return piled.series;
    const far = ({ edge }) => Math.abs(plot.valToPos(edge, "y") - y);
    return seen.reduce((best, each) => (far(each) < far(best) ? each : best)).series;
  }

  target(plot) {
    const series = this.meant(plot);
    const link = series?.link ?? this.look.link;
    const start = this.data.x[plot.cursor.idx];
    return series && link ? address(link, start, start + this.data.step) : null;
  }

  clicked(event) {
    if (this.dragged || event.button) {
      this.dragged = false;
      return;
    }
    const target = this.target(this.plot);
    if (!target) return;
    if (event.ctrlKey || event.metaKey) window.open(target, "_blank", "noopener");
    else location.assign(target);
  }

  selected(plot) {
    const { left, width } = plot.select;
    if (width < 6) return;
    this.dragged = true;
    setTimeout(() => (this.dragged = false), 0);
    const step = this.data.step;
    const start = Math.floor(plot.posToVal(left, "x") / step) * step;
    const end = Math.ceil(plot.posToVal(left + width, "x") / step) * step;
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.zoom([start, end]);
  }

  // To the page of that span, or closer within this chart; `null` is back.
  zoom(span) {
    if (span && this.look.zoom) {
      location.assign(address(this.look.zoom, ...span));
      return;
    }
    if (!span && !this.zoomed) return;
    this.zoomed = span;
    this.plot.setData(this.columns());
  }

  // The table below says what the chart shows.
  tell() {
    const body = this.figure.querySelector("details[open] tbody");
    if (!body || !this.data || body.dataset.told === String(this.data.end)) return;
    const told = body.dataset.told;
    body.dataset.told = String(this.data.end);
    if (told === undefined && this.figure.querySelector('script[type="application/json"]')) return;
    body.replaceChildren(...tableRows(this.data, this.unit));
  }
}

function mount() {
  for (const [figure, chart] of drawn) {
    if (figure.isConnected && figure.contains(chart.host)) continue;
    chart.plot?.destroy();
    drawn.delete(figure);
  }
  for (const figure of document.querySelectorAll("figure.chart")) {
    if (!drawn.has(figure)) drawn.set(figure, new Chart(figure));
  }
}

for (const name of ["tasks", "facts", "tick"]) {
  document.body.addEventListener(`flower:${name}`, () => {
    for (const [figure, chart] of drawn) if ((figure.dataset.on ?? "tasks") === name) chart.later();
  });
}
document.addEventListener("visibilitychange", () => document.hidden || drawn.forEach((chart) => chart.later()));
document.addEventListener("htmx:afterSwap", mount);
new MutationObserver(() => drawn.forEach((chart) => chart.plot && chart.draw())).observe(root, { attributeFilter: ["data-bs-theme"] });
mount();
