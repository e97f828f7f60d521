/* Charts over the still figures of a page: drag to zoom, double click for the whole, a table that shows values at the
   pointer, and keys for all of it. Each is drawn from the JSON beside its figure (chart.py); uPlot draws. */
(() => {
"use strict";

const NOTHING = "–", AXIS = { percentiles: "percentile, %", seconds: "seconds", ago: "seconds ago" };
const STEP = 0.02, PAN = 0.1, ZOOM = 0.6, NEAR = 7, BESIDE = 12;
const dark = matchMedia("screen and (prefers-color-scheme: dark)");
const shade = item => dark.matches ? item.dark : item.colour;
const ink = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim() || "#6a737d";

function made(name, parent, attributes = {}, text = "") {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  parent?.append(element);
  return element;
}

// -- numbers -----------------------------------------------------------------------------------------------------

/* As formatting.figure has it, three significant digits and never in exponents; whole numbers are exact. */
function figure(value) {
  if (value === null || value === undefined || !isFinite(value)) return NOTHING;
  if (Number.isInteger(value)) return value.toLocaleString("en-US");
  const rounded = Number(value.toPrecision(3));
  if (rounded === 0) return "0";
  const digits = Math.min(20, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(rounded)))));
  return rounded.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
const plain = value => Number(value.toPrecision(6)).toLocaleString("en-US", { maximumFractionDigits: 10 });

/* A percentile by 1 / (1 - p), its distance to 100 % to so many digits. */
function percentile(at, digits = 2) {
  const places = Math.min(12, Math.max(0, Math.floor(Math.log10(at) + 1e-9) - 2 + digits));
  return String(Number((100 * (1 - 1 / at)).toFixed(places)));
}
const PLACE = {
  percentiles: at => `p${percentile(at)}`,
  seconds: at => `${at.toFixed(2)} s`,
  ago: at => `${(-at).toFixed(1)} s ago`,
};

// -- ticks -------------------------------------------------------------------------------------------------------

function even(low, high, most) {
  const rough = (high - low) / most, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find(multiple => multiple * power >= rough * 0.999), ticks = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++) ticks.push(Number((n * step).toPrecision(12)));
  return ticks;
}
function decades(low, high, multiples) {
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
    for (const multiple of multiples) ticks.push(Number((multiple * 10 ** power).toPrecision(12)));
  return ticks.filter(tick => tick >= low * 0.9999 && tick <= high * 1.0001);
}
function logarithmic(low, high) {
  const apart = high / low;
  return apart > 300 ? decades(low, high, [1]) : apart > 12 ? decades(low, high, [1, 2, 5])
    : apart > 4 ? decades(low, high, [1, 1.5, 2, 3, 5, 7]) : even(low, high, 5);
}
/* Places of round percentiles, as many as there is room for. */
function ofPercentiles(low, high, most) {
  const within = tick => tick >= low * 0.9999 && tick <= high * 1.0001;
  const round = shares => decades(1 / high, 1 / low, shares).map(share => 1 / share).sort((a, b) => a - b).filter(within);
  const choices = [[9, 8, 7, 6, 5, 4, 3, 2, 1], [5, 2, 1]].map(round);
  choices.push([1, 2, ...decades(10, Math.max(10, high), [1])].filter(within));
  const ticks = choices.find(choice => choice.length <= most) ?? choices.at(-1);
  return ticks.length > 2 ? ticks : [0, 1, 2, 3].map(n => low * (high / low) ** ((n + 0.5) / 4));
}

// -- one panel ---------------------------------------------------------------------------------------------------

class Panel {
  constructor(row, data, key, height) {
    this.row = row;
    this.data = data;
    this.logarithmic = data.x === "percentiles";
    this.root = made("div", row.grid, { class: "chart-panel" });
    const head = made("p", this.root, { class: "chart-title" });
    made("span", head, {}, data.title);
    this.at = made("span", head, { class: "chart-at" }, AXIS[data.x]);
    this.place = made("div", this.root, { class: "chart-plot", tabindex: "0", role: "application" });
    this.place.setAttribute("aria-roledescription", "chart");
    this.place.setAttribute("aria-label", `${data.title}. Plus and minus zoom, left and right read values, with Shift they move, 0 shows the whole.`);
    this.values = new Values(this);
    this.height = height;
    this.plot = new uPlot(this.options(key), this.table(), this.place);
    this.tip = made("div", this.plot.over, { class: "chart-tip", hidden: "" });
    this.place.addEventListener("keydown", event => this.key(event));
    this.plot.over.addEventListener("pointermove", event => {
      if (event.pointerType === "touch") row.point(this, event.clientX - this.plot.over.getBoundingClientRect().left);
    });
  }

  /* Every line on common places: nulls are gaps, what is undefined is another line's place. */
  table() {
    const { lines, bands } = this.data;
    const tables = [...lines.map(line => [line.xs, line.ys]), ...bands.map(band => [band.xs, band.low, band.high])];
    const joined = tables.length ? uPlot.join(tables) : [[]];
    this.ends = this.data.reach ?? [joined[0][0] ?? 0, joined[0].at(-1) ?? 1];
    if (this.ends[0] === this.ends[1]) this.ends = [this.ends[0], this.ends[1] + 1];
    return joined;
  }

  options(key) {
    const { data } = this, count = data.lines.length, text = getComputedStyle(document.body).fontFamily;
    const axis = { stroke: ink("muted"), font: `12px ${text}`, ticks: { show: false }, grid: { stroke: ink("line"), width: 1 } };
    const bands = data.bands.map((band, n) => ({ series: [count + 2 + 2 * n, count + 1 + 2 * n], fill: `${shade(band)}33` }));
    return {
      width: this.width, height: this.height, legend: { show: false }, padding: [8, 10, 0, 0],
      scales: {
        x: { time: false, distr: this.logarithmic ? 3 : 1, range: (_, low, high) => this.across(low, high) },
        y: { distr: data.log ? 3 : 1, range: (_, low, high) => this.up(low, high) },
      },
      axes: [
        { ...axis, size: 30, splits: (_, __, low, high) => this.ticks(low, high), filter: (_, ticks) => ticks,
          values: (_, ticks) => this.named(ticks) },
        { ...axis, size: (_, words) => Math.max(54, ...(words ?? []).map(word => 7 * word.length + 18)), filter: (_, ticks) => ticks, values: (_, ticks) => ticks.map(plain),
          splits: (_, __, low, high) => data.log ? logarithmic(low, high) : even(low, high, 4) },
      ],
      series: [{}, ...data.lines.map(line => this.series(line)), ...data.bands.flatMap(() => [{ stroke: null, points: { show: false } }, { stroke: null, points: { show: false } }])],
      bands,
      cursor: {
        y: false, drag: { x: true, y: false, dist: 4 }, sync: { key, setSeries: false, scales: ["x", null] },
        hover: { prox: (_, n, __, at) => this.near(n, at) },
        points: { size: (_, n) => this.read(n) ? 7 : 0, fill: (_, n) => shade(data.lines[n - 1] ?? { dark: "", colour: "" }) },
      },
      hooks: {
        drawAxes: [plot => this.zones(plot)], draw: [plot => this.marks(plot)],
        setCursor: [plot => this.told(plot)],
      },
    };
  }

  get width() { return Math.max(120, this.place.clientWidth); }
  get whole() { return this.shown[0] <= this.ends[0] && this.shown[1] >= this.ends[1]; }

  /* Whether values of this series are read off: not of repeats, dots and bands. */
  read(n) { const line = this.data.lines[n - 1]; return !!line && !line.within && !line.dots; }

  /* How far from the pointer, in px, a value may lie that is read off: within a line, wherever its next point is. */
  near(n, at) {
    const { xs } = this.data.lines[n - 1] ?? { xs: [] };
    return at >= xs[0] && at <= xs.at(-1) ? 1e6 : BESIDE;
  }

  series(line) {
    const stroke = shade(line), alpha = line.alpha;
    if (!line.dots) return { stroke, width: line.width, dash: line.dashes, alpha, points: { show: false } };
    const fill = line.hollow ? ink("card") : stroke;
    return { stroke, width: 0, paths: () => null, points: { show: true, size: 7, width: 1.5, stroke, fill } };
  }

  across(low, high) {
    const [first, last] = this.ends;
    // All places asked for: the whole of the axis, which may reach further than the lines.
    const known = this.plot?.data[0] ?? [], all = low <= (known[0] ?? low) && high >= (known.at(-1) ?? high);
    return this.shown = !this.plot || all || low === null ? [first, last] : [Math.max(first, low), Math.min(last, high)];
  }

  up(low, high) {
    const known = this.data.high;
    if (known && this.whole) return known;
    if (low === null || low === undefined) return known ?? [this.data.log ? 0.1 : 0, 1];
    if (this.data.log) return [low / 1.15, high * 1.15];
    return [Math.min(0, low), high > 0 ? 1.08 * high : 1];
  }

  /* Places that have names, where the whole is shown, as many as there is room for; none where they are too few. */
  places(low, high) {
    const kept = [], wide = (this.width - 64) / Math.log(high / low);
    for (const [at, name] of this.whole ? this.data.ticks : []) {
      const before = kept.at(-1), room = before && 3.5 * (name.length + before[1].length) + 6;
      if (at >= low && at <= high && (!before || wide * Math.log(at / before[0]) >= room)) kept.push([at, name]);
    }
    return this.names = new Map(kept.length > 2 ? kept : []);
  }

  ticks(low, high) {
    const places = [...this.places(low, high).keys()];
    if (places.length) return places;
    return this.logarithmic ? ofPercentiles(low, high, this.width / 52) : even(low, high, Math.max(2, this.width / 90));
  }

  named(ticks) {
    if (this.names.size) return ticks.map(tick => this.names.get(tick));
    if (!this.logarithmic) return ticks.map(tick => plain(this.data.x === "ago" ? -tick : tick));
    const names = digits => ticks.map(tick => percentile(tick, digits));
    return [1, 2, 3, 4].map(names).find(words => new Set(words).size === words.length) ?? names(5);
  }

  // -- drawn beside the lines

  zones(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    const within = (value, least, length) => Math.min(least + length, Math.max(least, value));
    for (const zone of this.data.zones) {
      const [from, to] = zone.ends.map(value => zone.upright ? within(plot.valToPos(value, "x", true), bbox.left, bbox.width)
        : within(plot.valToPos(value, "y", true), bbox.top, bbox.height));
      const thick = Math.max(devicePixelRatio, Math.abs(to - from)), high = Math.min(from, to);
      ctx.fillStyle = ink("ink");
      ctx.globalAlpha = zone.ends[0] === zone.ends[1] ? 0.6 : 0.09;
      if (zone.upright) {
        const step = zone.ends[0] === zone.ends[1] ? 3 * devicePixelRatio : bbox.height;
        for (let y = bbox.top; y < bbox.top + bbox.height; y += 2 * step) ctx.fillRect(from, y, thick, step);
        continue;
      }
      ctx.fillRect(bbox.left, high, bbox.width, thick);
      ctx.globalAlpha = 0.8;
      ctx.font = `${11 * devicePixelRatio}px ${getComputedStyle(document.body).fontFamily}`;
      ctx.textAlign = "left";
      ctx.textBaseline = high - bbox.top < 16 * devicePixelRatio ? "top" : "bottom";
      ctx.fillText(zone.name, bbox.left + 8 * devicePixelRatio, ctx.textBaseline === "top" ? high + thick + 3 : high - 3);
    }
    ctx.restore();
  }

  marks(plot) {
    const { ctx, bbox } = plot, size = 5 * devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left - size, bbox.top - size, bbox.width + 2 * size, bbox.height + size);
    ctx.clip();
    for (const mark of this.seen()) {
      const x = plot.valToPos(mark.at, "x", true);
      ctx.strokeStyle = ctx.fillStyle = shade(mark);
      ctx.globalAlpha = 0.55;
      ctx.fillRect(x - devicePixelRatio / 2, bbox.top, devicePixelRatio, bbox.height);
      ctx.globalAlpha = 1;
      ctx.fillRect(x - size / 2, bbox.top - size / 2, size, size);
    }
    ctx.restore();
  }

  seen() {
    const { min, max } = this.plot.scales.x;
    return this.data.marks.filter(mark => mark.at >= min && mark.at <= max && !this.row.chart.off.has(mark.kind));
  }

  told(plot) {
    const { left, idxs } = plot.cursor, there = left >= 0;
    this.values.show(there ? plot.posToVal(left, "x") : null, there ? idxs : []);
    const near = there ? this.seen().filter(mark => Math.abs(plot.valToPos(mark.at, "x") - left) <= NEAR) : [];
    this.tip.hidden = !near.length;
    this.tip.textContent = near.map(mark => `${PLACE[this.data.x](mark.at)}: ${mark.text}`).join("\n");
    this.tip.style.left = `${Math.min(Math.max(0, left + 8), Math.max(0, plot.over.clientWidth - this.tip.offsetWidth))}px`;
  }

  show(name, shown) {
    const { lines, bands } = this.data;
    lines.forEach((line, n) => (line.within || line.name) === name && this.plot.setSeries(n + 1, { show: shown }));
    bands.forEach((band, n) => band.within === name && [1, 2].forEach(part => this.plot.setSeries(lines.length + 2 * n + part, { show: shown })));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== this.place) return;
    const sideways = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (sideways) event.shiftKey ? this.row.pan(sideways * PAN) : this.row.step(this, sideways * STEP);
    else if (event.key === "+" || event.key === "=") this.row.zoom(ZOOM);
    else if (event.key === "-" || event.key === "_") this.row.zoom(1 / ZOOM);
    else if (event.key === "0") this.row.reset();
    else return;
    event.preventDefault();
  }
}

/* The legend: a row a line, with a button that shows and hides it, and its value at the pointer. */
class Values {
  constructor(panel) {
    this.panel = panel;
    const table = made("table", panel.root, { class: "chart-values" });
    const { lines } = panel.data, names = new Set(lines.map(line => !line.within && line.name));
    for (const line of lines) if (line.within && !names.has(line.within)) {
      names.add(line.within);
      this.line(made("tr", table), { ...line, name: line.within }).textContent = "";
    }
    this.rows = lines.map((line, n) => panel.read(n + 1) ? this.line(made("tr", table), line) : null);
  }

  line(row, line) {
    const button = made("button", made("th", row, { scope: "row" }), { type: "button", "aria-pressed": "true", title: "show or hide" });
    const sample = `stroke="${shade(line)}" stroke-opacity="${line.alpha}" stroke-width="${1.3 * line.width}" stroke-dasharray="${line.dashes.join(" ")}"`;
    button.innerHTML = `<svg width="26" height="8" aria-hidden="true"><line x1="0" x2="26" y1="4" y2="4" ${sample}/></svg>`;
    made("span", button, {}, line.name);
    button.addEventListener("click", () => {
      const shown = button.getAttribute("aria-pressed") === "false";
      button.setAttribute("aria-pressed", shown);
      this.panel.show(line.name, shown);
    });
    return made("td", row, {}, NOTHING);
  }

  show(at, idxs) {
    const { data, plot } = this.panel;
    this.panel.at.textContent = at === null ? AXIS[data.x] : `at ${PLACE[data.x](at)}`;
    this.rows.forEach((cell, n) => {
      const index = plot?.series[n + 1].show ? idxs[n + 1] : null, value = plot?.data[n + 1][index ?? -1];
      const text = figure(value), unit = data.lines[n].unit || data.unit;
      if (cell) cell.textContent = text === NOTHING || !unit ? text : unit === "×" ? `${text}×` : `${text} ${unit}`;
    });
  }

  get words() {
    const cells = this.panel.data.lines.map((line, n) => this.rows[n] && `${line.name} ${this.rows[n].textContent}`);
    return [this.panel.at.textContent, ...cells.filter(Boolean), this.panel.tip.textContent].filter(Boolean).join("; ");
  }
}

// -- panels of one horizontal axis -------------------------------------------------------------------------------

class Row {
  constructor(chart, data, number) {
    this.chart = chart;
    if (data.heading) made("p", chart.root, { class: "chart-heading", style: `border-color: ${shade(data) || "transparent"}` }, data.heading);
    this.grid = made("div", chart.root, { class: `chart-grid${chart.data.scrolls ? " chart-scrolls" : ""}` });
    this.grid.style.setProperty("--columns", chart.data.columns);
    this.panels = data.panels.map(panel => new Panel(this, panel, `${chart.id}-${number}`, chart.data.height));
  }

  get first() { return this.panels[0]; }
  get log() { return this.first.logarithmic; }
  to(value) { return this.log ? Math.log(value) : value; }
  from(value) { return this.log ? Math.exp(value) : value; }

  get view() {
    const { min, max } = this.first.plot.scales.x;
    return [this.to(min), this.to(max)];
  }

  /* Show from one place to another, within the whole. */
  set view([low, high]) {
    for (const panel of this.panels) {
      const [first, last] = panel.ends.map(end => this.to(end)), span = Math.min(high - low, last - first);
      const from = Math.min(Math.max(first, low), last - span);
      panel.plot.setScale("x", { min: this.from(from), max: this.from(from + span) });
    }
  }

  zoom(factor) {
    const [low, high] = this.view, at = this.first.plot.cursor.left;
    const middle = at >= 0 ? this.to(this.first.plot.posToVal(at, "x")) : (low + high) / 2;
    this.view = [middle - factor * (middle - low), middle + factor * (high - middle)];
  }
  pan(share) {
    const [low, high] = this.view, by = share * (high - low);
    this.view = [low + by, high + by];
  }
  reset() { this.panels.forEach(panel => panel.plot.setScale("x", { min: panel.ends[0], max: panel.ends[1] })); }

  /* Read values a step further, and tell them. */
  step(panel, share) {
    const wide = panel.plot.over.clientWidth, { left } = panel.plot.cursor;
    const next = left < 0 ? (share > 0 ? 0 : wide) : left + share * wide;
    this.point(panel, Math.min(wide, Math.max(0, next)));
    this.chart.status.textContent = panel.values.words;
  }
  point(panel, left) {
    const at = panel.plot.posToVal(left, "x");
    for (const each of this.panels) each.plot.setCursor({ left: each.plot.valToPos(at, "x"), top: 10 });
  }
}

// -- one figure --------------------------------------------------------------------------------------------------

class Chart {
  constructor(figure, number) {
    this.figure = figure;
    this.id = `chart-${number}`;
    this.data = JSON.parse(figure.querySelector("script.chart-data").textContent);
    this.off = new Set();
    const label = figure.querySelector("img")?.alt ?? "";
    this.root = made("div", null, { class: "chart card", role: "group", "aria-label": label });
    figure.prepend(this.root);
    figure.classList.add("interactive");
    this.tools();
    this.rows = this.data.rows.map((row, n) => new Row(this, row, n));
    this.status = made("p", this.root, { class: "chart-status", role: "status" });
    this.watch = new ResizeObserver(() => this.fit());
    this.watch.observe(this.root);
  }

  tools() {
    const bar = made("div", this.root, { class: "chart-tools" });
    made("span", bar, { class: "chart-help" }, `${this.data.note} Drag to zoom, double click for the whole; click a name to hide its line. Keys: + − 0, ← → read values, with Shift they move.`.trim());
    const zooms = made("span", bar, { class: "chart-zooms" });
    const button = (text, label, act) => made("button", zooms, { type: "button", "aria-label": label, title: label }, text).addEventListener("click", () => this.rows.forEach(act));
    button("+", "zoom in", row => row.zoom(ZOOM));
    button("−", "zoom out", row => row.zoom(1 / ZOOM));
    button("whole", "show the whole", row => row.reset());
    const kinds = made("div", this.root, { class: "chart-tools" });
    for (const kind of this.data.kinds) this.kind(kinds, kind);
  }

  /* A kind of marks, shown and hidden by its button. */
  kind(bar, kind) {
    const button = made("button", bar, { type: "button", "aria-pressed": "true", title: "show or hide" });
    made("i", button, { class: "chart-mark", style: `background: ${shade(kind)}` });
    made("span", button, {}, kind.name);
    button.addEventListener("click", () => {
      const shown = button.getAttribute("aria-pressed") === "false";
      button.setAttribute("aria-pressed", shown);
      this.off[shown ? "delete" : "add"](kind.name);
      this.plots.forEach(plot => plot.redraw(false, false));
    });
  }

  get panels() { return this.rows.flatMap(row => row.panels); }
  get plots() { return this.panels.map(panel => panel.plot); }

  fit() {
    for (const panel of this.panels)
      if (panel.place.clientWidth && panel.plot.width !== panel.width) panel.plot.setSize({ width: panel.width, height: panel.height });
  }

  remove() {
    this.watch.disconnect();
    this.plots.forEach(plot => plot.destroy());
    this.root.remove();
    this.figure.classList.remove("interactive");
  }
}

let charts = [];
function build() {
  charts.forEach(chart => chart.remove());
  charts = [...document.querySelectorAll("figure > script.chart-data")].map((data, n) => new Chart(data.parentElement, n));
}
build();
dark.addEventListener("change", build);
})();
