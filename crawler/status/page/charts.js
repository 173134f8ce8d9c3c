// How did it go over time? Six charts over the columns that the crawl samples.
import { brief, bytes, find, findAll, make, say, seconds } from "./shown.js";

const CHARTS = [
  { title: "Throughput", show: (value) => `${brief(value)}/s`, lines: { pages: "Pages", items: "Items" } },
  { title: "Received", show: (value) => `${bytes(value)}/s`, lines: { bytes: "Bytes" } },
  { title: "Queue", show: brief, lines: { queued: "Requests" } },
  { title: "Latency", show: seconds, lines: { p50: "p50", p90: "p90", p99: "p99" } },
  { title: "Lag of the loop", show: seconds, lines: { lag: "Lag" } },
  { title: "Memory", show: bytes, lines: { memory: "Memory" } },
];
const COLUMNS = ["time", ...CHARTS.flatMap((chart) => Object.keys(chart.lines))];
const MOST_POINTS = 1200; // then the crawl is asked for its own, coarser ones

export class Charts {
  /** `reload` gives a promise of the whole series, as /api/series has it. */
  constructor(box, reload) {
    this.box = box;
    this.reload = reload;
    this.span = 0;
    this.columns = Object.fromEntries(COLUMNS.map((name) => [name, []]));
    this.drawn = [];
    new ResizeObserver(() => this.resize()).observe(box);
  }

  async open() {
    const series = await this.reload();
    for (const name of COLUMNS) this.columns[name] = [...(series[name] ?? [])];
    if (this.drawn.length) this.draw();
    else this.build();
  }

  /** Take the newest point; one of a moment that is there already replaces it. */
  add(point) {
    const times = this.columns.time;
    const last = times.at(-1) ?? -Infinity;
    if (point.time < last) return;
    const at = point.time === last ? times.length - 1 : times.length;
    for (const name of COLUMNS) this.columns[name][at] = point[name] ?? null;
    if (times.length > MOST_POINTS) this.open().catch(() => {});
    else this.draw();
  }

  show(span) {
    this.span = span;
    this.draw();
  }

  /** Make them anew: colours are read when a chart is made. */
  build() {
    for (const chart of this.drawn) chart.plot.destroy();
    this.box.replaceChildren();
    this.drawn = CHARTS.map((chart) => this.chart(chart));
    this.resize();
    this.draw();
  }

  draw() {
    this.box.hidden = find("#charts-bar").hidden = !this.columns.time.length; // of a job that rests nothing is known
    if (document.hidden || !this.box.offsetParent) return;
    for (const chart of this.drawn) {
      chart.plot.setData([this.columns.time, ...Object.keys(chart.lines).map((name) => this.columns[name])]);
      this.legend(chart, null);
    }
  }

  resize() {
    for (const chart of this.drawn) {
      const width = chart.area.clientWidth;
      if (width && width !== chart.plot.width) chart.plot.setSize({ width, height: 150 });
    }
  }

  chart(chart) {
    const names = Object.keys(chart.lines);
    const values = names.map(() => make("b"));
    const keys = names.map((name, index) => make("span", { class: `key line-${index + 1}` }, make("span", {}, chart.lines[name]), " ", values[index]));
    const area = make("div", { class: "area", role: "img" });
    const card = make("figure", { class: "card chart" }, make("figcaption", {}, make("h3", {}, chart.title), make("p", {}, ...keys)), area);
    const made = { ...chart, card, area, values };
    this.box.append(card); // only then it has colours
    const { color: quiet, fontFamily } = getComputedStyle(find("figcaption p", card));
    const grid = { stroke: quiet.replace("rgb", "rgba").replace(")", ", 0.16)"), width: 1 };
    const axis = { stroke: quiet, font: `11px ${fontFamily}`, grid, ticks: { show: false } };
    made.plot = new uPlot(
      {
        width: 300,
        height: 150,
        padding: [8, 22, 0, 0], // room for half a label of time
        legend: { show: false },
        cursor: { sync: { key: "crawl" }, drag: { x: false, y: false }, points: { size: 7 } },
        scales: { x: { range: (plot, low, high) => this.range(low, high) }, y: { range: (plot, low, high) => [0, high > 0 ? high * 1.1 : 1] } },
        axes: [
          { ...axis, size: 28, gap: 8, space: 70, grid: { show: false }, values: (plot, ticks, axis, space, step) => ticks.map((tick) => clock(tick, step)) },
          { ...axis, size: 62, space: 32, values: (plot, ticks) => ticks.map((tick) => chart.show(tick)) },
        ],
        series: [{}, ...names.map((name, index) => this.line(getComputedStyle(keys[index]).color, names.length === 1))],
        hooks: { setCursor: [(plot) => this.legend(made, plot.cursor.idx)] },
      },
      [[], ...names.map(() => [])],
      area,
    );
    return made;
  }

  line(stroke, alone) {
    return { stroke, width: 1.75, fill: alone ? stroke.replace("rgb", "rgba").replace(")", ", 0.13)") : undefined, points: { show: false }, spanGaps: true };
  }

  range(low, high) {
    const last = high ?? Date.now() / 1000;
    return [this.span ? Math.max(last - this.span, Math.min(low ?? last, last - 60)) : Math.min(low ?? last, last - 10), last];
  }

  /** Write the values under the cursor, else the newest. */
  legend(chart, index) {
    const at = index ?? this.columns.time.length - 1;
    const texts = Object.keys(chart.lines).map((name) => chart.show(this.columns[name][at]));
    chart.values.forEach((value, which) => say(value, texts[which]));
    if (index === null || index === undefined) {
      const now = Object.values(chart.lines).map((title, which) => `${title} ${texts[which]}`);
      chart.area.setAttribute("aria-label", `Chart of ${chart.title.toLowerCase()} over time; now ${now.join(", ")}`);
    }
  }
}

/** The label of a tick: days where they lie days apart, seconds where they lie seconds apart. */
function clock(tick, step) {
  const date = new Date(tick * 1000);
  if (step >= 86400) return date.toLocaleDateString([], { month: "short", day: "numeric" });
  const second = step < 60 ? "2-digit" : undefined;
  return date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second, hourCycle: "h23" });
}

/** The buttons that choose how much of the past is shown. */
export function watchSpan(charts) {
  for (const button of findAll("#span button")) {
    button.addEventListener("click", () => {
      for (const other of findAll("#span button")) other.setAttribute("aria-pressed", String(other === button));
      charts.show(Number(button.dataset.span));
    });
  }
  return find("#span");
}
