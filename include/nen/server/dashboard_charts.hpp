// server, L3: what the dashboard's page draws: sparklines, answers per second in layers, and
// latencies as lines over a map of where all of them were.
#pragma once

#include <string_view>

namespace nen::detail {

inline constexpr std::string_view dashboard_charts = R"js(
const LINES = [["c2", "p50"], ["c3", "p90"], ["c4", "p99"], ["c5", "p99.9"]];

/** An element with attributes and children; text is never markup. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in element && name !== "list") element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}
function svg(tag, attributes = {}, content = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = content;
  return element;
}
const say = (element, value) => {
  if (element.textContent !== value) element.textContent = value;
};

/** A path through points [x, y, whether a line leads to it]; a null breaks it. */
function linePath(points) {
  let path = "", goesOn = false;
  for (const point of points) {
    if (point === null || point[1] === null) { goesOn = false; continue; }
    const pen = goesOn && point[2] !== false ? "L" : "M";
    path += `${pen}${point[0].toFixed(1)} ${point[1].toFixed(1)}`;
    goesOn = true;
  }
  return path;
}
/** Values from left to right in a box of 100 by 40, for what is as wide as its place. */
function sparkline(values, most) {
  const top = Math.max(most ?? 0, ...values) || 1, step = 100 / Math.max(1, values.length - 1);
  return values.map((v, i) => v === null ? null : [i * step, 38 - 35 * v / top]);
}
/** For the numbers at an axis: "1.00 ms" is "1 ms". */
const round = ([number, unit]) => text([number.replace(/\.0+$/, ""), unit]);
function niceStep(range, wanted) {
  const rough = range / wanted, power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].find((n) => n * power >= rough) * power;
}

/** One chart: where it is drawn, in which time, and what a pointer or arrow keys point at. */
class Plot {
  constructor(element, empty, describe) {
    this.element = element;
    this.describe = describe;
    this.canvas = make("canvas");
    this.svg = svg("svg", { "aria-hidden": "true" });
    this.empty = make("p", { className: "empty" }, empty);
    this.tip = make("div", { className: "tip", hidden: true });
    element.append(this.canvas, this.svg, this.empty, this.tip);
    element.addEventListener("pointermove", (event) => point(this, event.offsetX));
    element.addEventListener("pointerdown", (event) => point(this, event.offsetX));
    element.addEventListener("pointerleave", () => pointAt(null));
    element.addEventListener("blur", () => pointAt(null));
    element.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => draw()).observe(element);
  }
  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") pointAt(null);
    if (step === undefined) return;
    event.preventDefault();
    const at = this.samples.findIndex((s) => s.at === pointed);
    const next = at < 0 ? this.samples.length - 1 : at + step;
    if (this.samples[next]) pointAt(this.samples[next].at);
  }
  begin(span) {
    const { clientWidth: width, clientHeight: height } = this.element;
    Object.assign(this, { width, height, left: 56, right: width - 10, top: 10,
      bottom: height - 24 });
    this.end = model.paused ? model.pausedAt : Math.max(Date.now() - 1500,
      model.samples.at(-1)?.at ?? 0);
    // What was before this page was opened is not known, and no reason for an empty chart.
    this.span = Math.min(span * 1000, Math.max(60000, this.end - (model.samples[0]?.at ?? 0)));
    this.begin_ = this.end - this.span;
    // One before the left edge, so that lines come from there.
    const first = model.samples.findIndex((s) => s.at >= this.begin_);
    this.samples = first < 0 ? [] : model.samples.slice(Math.max(0, first - 1))
      .filter((s) => s.at <= this.end);
    this.svg.replaceChildren();
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.clip = svg("svg", { x: this.left, y: 0, width: Math.max(0, this.right - this.left),
      height, viewBox: `${this.left} 0 ${Math.max(1, this.right - this.left)} ${height}` });
  }
  x(at) { return this.left + (at - this.begin_) / this.span * (this.right - this.left); }
  gridLine(y, label) {
    const line = Math.round(y) + 0.5;
    this.svg.append(svg("line", { class: "grid", x1: this.left, x2: this.right, y1: line,
      y2: line }), svg("text", { x: this.left - 8, y: y + 4, "text-anchor": "end" }, label));
  }
  times() {
    const step = this.span <= 60000 ? 15000 : this.span <= 300000 ? 60000 : 180000;
    const offset = new Date().getTimezoneOffset() * 60000;
    for (let at = Math.ceil((this.begin_ - offset) / step) * step + offset; at <= this.end;
      at += step) {
      const x = this.x(at);
      if (x < this.left + 18 || x > this.right - 14) continue;
      this.svg.append(svg("text", { x, y: this.height - 6, "text-anchor": "middle" },
        new Date(at).toTimeString().slice(0, step < 60000 ? 8 : 5)));
    }
  }
  path(name, hue, d) { this.clip.append(svg("path", { class: `${name} ${hue}`, d })); }
  finish(rows) {
    for (const mark of model.marks.filter((m) => m.at > this.begin_)) {
      const x = this.x(mark.at);
      this.clip.append(svg("line", { class: "mark", x1: x, x2: x, y1: this.top,
        y2: this.bottom }), svg("text", { x: x + 5, y: this.top + 10 }, mark.what));
    }
    this.svg.append(this.clip);
    this.empty.hidden = this.samples.length > 1;
    const sample = pointed === null ? undefined : this.samples.find((s) => s.at === pointed);
    this.tip.hidden = sample === undefined;
    if (sample !== undefined) this.showTip(sample, rows(sample));
    this.element.setAttribute("aria-label", this.describe(sample ?? this.samples.at(-1)));
  }
  showTip(sample, rows) {
    const x = Math.round(this.x(sample.at)) + 0.5;
    this.svg.append(svg("line", { class: "cross", x1: x, x2: x, y1: this.top,
      y2: this.bottom }));
    const table = make("table", {}, ...rows.map(([hue, name, value, y]) => {
      if (y !== undefined && y !== null)
        this.svg.append(svg("circle", { class: `dot ${hue}`, cx: x, cy: y, r: 4 }));
      return make("tr", {}, make("td", {}, make("i", { className: hue }), name),
        make("td", {}, value));
    }));
    this.tip.replaceChildren(make("div", {}, new Date(sample.at).toTimeString().slice(0, 8)),
      table);
    const wide = this.tip.offsetWidth, right = x + 14 + wide < this.width;
    this.tip.style.left = `${Math.max(4, right ? x + 14 : x - 14 - wide)}px`;
  }
}

// Both charts point at the same moment.
let pointed = null;
function pointAt(at) {
  if (pointed === at) return;
  pointed = at;
  draw();
}
function point(plot, x) {
  let best = null, distance = Infinity;
  for (const sample of plot.samples ?? []) {
    const here = Math.abs(plot.x(sample.at) - x);
    if (here < distance && sample.at >= plot.begin_) best = sample.at, distance = here;
  }
  pointAt(best);
}

function drawRate(plot, span) {
  plot.begin(span);
  const most = Math.max(1, ...plot.samples.map((s) => sum(s.classes)));
  const step = niceStep(most * 1.08, 4), top = Math.ceil(most * 1.04 / step) * step;
  const y = (value) => plot.bottom - value / top * (plot.bottom - plot.top);
  for (let value = 0; value <= top + step / 2; value += step)
    plot.gridLine(y(value), round(value < 10 ? [value.toFixed(1), ""] : count(value)));
  plot.times();
  const below = plot.samples.map(() => 0);
  CLASSES.forEach(([hue], which) => {
    // Answers that are well are shown also while there are none.
    if (which !== 1 && !plot.samples.some((s) => s.classes[which] > 0)) return;
    const line = [];
    let area = "", part = [];
    const close = () => {
      if (part.length > 1) area += linePath(part.map((p) => [p[0], p[1]])) + part.reverse()
        .map((p) => `L${p[0].toFixed(1)} ${p[2].toFixed(1)}`).join("") + "Z";
      part = [];
    };
    plot.samples.forEach((s, i) => {
      if (!s.goesOn) close();
      const low = below[i];
      below[i] += s.classes[which];
      part.push([plot.x(s.at), y(below[i]), y(low)]);
      line.push([plot.x(s.at), y(below[i]), s.goesOn]);
    });
    close();
    plot.path("area", hue, area);
    if (which === 1) plot.path("line", hue, linePath(line));
  });
  plot.finish((sample) => {
    let at = 0;
    return CLASSES.map(([hue, name], i) => {
      at += sample.classes[i];
      return [hue, name, text(rate(sample.classes[i])), sample.classes[i] > 0 ? y(at) : null];
    }).filter((row, i) => i === 1 || sample.classes[i] > 0).reverse();
  });
}

/** Where latencies were, as shades: a column for each second, each as a share of its own. */
function drawHeat(plot, y) {
  const dpr = window.devicePixelRatio || 1, { canvas } = plot;
  canvas.width = plot.width * dpr;
  canvas.height = plot.height * dpr;
  const context = canvas.getContext("2d");
  context.scale(dpr, dpr);
  context.beginPath();
  context.rect(plot.left, plot.top, plot.right - plot.left, plot.bottom - plot.top);
  context.clip();
  context.fillStyle = getComputedStyle(canvas).color;
  for (const sample of plot.samples) {
    const right = plot.x(sample.at), left = plot.x(sample.at - sample.seconds * 1000);
    let total = 0;
    for (let i = 1; i < sample.heat.length; i += 2) total += sample.heat[i];
    for (let i = 0; i < sample.heat.length; i += 2) {
      const upper = y(lowest(sample.heat[i] + 1)), lower = y(lowest(sample.heat[i]));
      context.globalAlpha = 0.05 + 0.8 * Math.sqrt(sample.heat[i + 1] / total);
      context.fillRect(left, upper, right - left + 0.4, Math.max(1, lower - upper));
    }
  }
}
function drawLatency(plot, span) {
  plot.begin(span);
  let low = Infinity, high = 0;
  for (const { heat } of plot.samples) {
    if (heat.length === 0) continue;
    low = Math.min(low, lowest(heat[0]));
    high = Math.max(high, lowest(heat.at(-2) + 1));
  }
  if (high === 0) [low, high] = [1e4, 1e7];
  // At least two powers of ten, so that noise looks like noise.
  low = Math.max(100, low * 0.8);
  high = Math.max(high * 1.25, low * 100);
  const [from, to] = [Math.log(low), Math.log(high)];
  const y = (ns) => plot.bottom - (Math.log(Math.max(ns, low)) - from) / (to - from) *
    (plot.bottom - plot.top);
  for (let power = 100; power <= 1e12; power *= 10)
    if (power >= low * 0.999 && power <= high) plot.gridLine(y(power), round(time(power)));
  plot.times();
  drawHeat(plot, y);
  const points = LINES.map((_, i) => plot.samples.map((s) =>
    [plot.x(s.at), s.quantiles[i] === null ? null : y(s.quantiles[i]), s.goesOn]));
  LINES.forEach(([hue], i) => plot.path("line", hue, linePath(points[i])));
  plot.finish((sample) => LINES.map(([hue, name], i) => [hue, name,
    text(time(sample.quantiles[i])), sample.quantiles[i] === null ? null
      : y(sample.quantiles[i])]).reverse());
}
)js";

}  // namespace nen::detail
