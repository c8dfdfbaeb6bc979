// server, L3: what the dashboard's page says in words and numbers: tiles, routes, pools, shards,
// and what was refused.
#pragma once

#include <string_view>

namespace nen::detail {

inline constexpr std::string_view dashboard_views = R"js(
// ---- Tiles. ----

const TILES = [
  { name: "Requests per second", value: (s) => sum(s.classes), show: rate,
    note: () => `${text(count(sum(model.now.classes)))} in all` },
  { name: "Latency, p99", value: (s) => s.quantiles[2], show: time,
    note: (s) => `p50 ${text(time(s.quantiles[0]))} · p99.9 ${text(time(s.quantiles[3]))}` },
  { name: "Errors", value: (s) => sum(s.classes) && s.classes[4] / sum(s.classes), most: 0.01,
    show: share, note: (s) => `5xx ${text(rate(s.classes[4]))}/s · 4xx ` +
      `${text(rate(s.classes[3]))}/s`,
    level: (v) => v >= 0.05 ? "bad" : v >= 0.01 ? "warn" : "" },
  { name: "Connections", value: (s) => s.open, show: count,
    note: (s) => `of ${text(count(poolNamed("connections")[1]))} · ` +
      `${text(rate(s.accepted))} new/s`,
    level: (v) => { const full = v / poolNamed("connections")[1];
      return full >= 1 ? "bad" : full >= 0.9 ? "warn" : ""; } },
  { name: "CPU", value: (s) => sum(s.cpu), show: share, most: 0.2,
    note: (s) => `kernel ${text(share(s.cpu[1]))} · ${text(bytes(model.now.resident))} resident` },
  { name: "Sent per second", value: (s) => s.bytes[1], show: bytes, most: 1024,
    note: (s) => `${text(bytes(s.bytes[0]))}/s received` },
  { name: "Event loop, p99", value: (s) => s.busy, show: time,
    note: () => "busy in a turn",
    level: (v) => v >= 1e9 ? "bad" : v >= 1e8 ? "warn" : "" },
  { name: "WebSockets", value: (s) => s.websockets, show: count, most: 4,
    note: (s) => `${text(rate(s.messages))} messages/s` },
];
function makeTiles() {
  for (const tile of TILES) {
    tile.number = make("output", {}, "–");
    tile.small = make("p");
    tile.area = svg("path", { class: "area" });
    tile.line = svg("path", { class: "line" });
    const graph = svg("svg", { viewBox: "0 0 100 40", preserveAspectRatio: "none",
      "aria-hidden": "true" });
    graph.append(tile.area, tile.line);
    tile.element = make("article", { className: "card tile" }, make("h2", {}, tile.name),
      tile.number, tile.small, graph);
    $("tiles").append(tile.element);
  }
}
function showTiles() {
  const sample = model.samples.at(-1);
  if (sample === undefined) return;
  const shown = model.samples.slice(-60);
  for (const tile of TILES) {
    const value = tile.value(sample), [number, unit] = value === null ? ["–", ""]
      : tile.show(value);
    tile.number.replaceChildren(number, ...(unit ? [make("small", {}, unit)] : []));
    say(tile.small, tile.note(sample));
    tile.element.dataset.level = tile.level && value !== null ? tile.level(value) : "";
    const points = sparkline(shown.map(tile.value), tile.most);
    tile.line.setAttribute("d", linePath(points));
    const solid = points.filter((p) => p !== null);
    tile.area.setAttribute("d", solid.length < 2 ? "" : `${linePath(solid)}L${solid.at(-1)[0]} 40` +
      `L${solid[0][0]} 40Z`);
  }
}

// ---- Legends. ----

function makeLegend(id, entries) {
  return entries.map(([hue, name]) => {
    const value = make("b");
    $(id).append(make("li", {}, make("i", { className: hue }), name, value));
    return value;
  });
}
function showLegends(rates, latencies) {
  const sample = model.samples.at(-1);
  if (sample === undefined) return;
  rates.forEach((each, i) => {
    say(each, text(rate(sample.classes[i])));
    // Of those that there never were, and of what only begins a WebSocket, nobody needs a line.
    const shown = i === 1 || (i === 0 ? sample.classes[0] > 0 : model.now.classes[i] > 0);
    each.parentNode.style.display = shown ? "" : "none";
  });
  latencies.forEach((each, i) => say(each, text(time(sample.quantiles[i]))));
}

// ---- Routes. ----

const COLUMNS = [
  { name: "Route", key: (r) => r.path, first: "ascending" },
  { name: "last minute", wide: true },
  { name: "Per s", key: (r) => r.perSecond, show: (r) => text(rate(r.perSecond)) },
  { name: "Answers", key: (r) => r.total, show: (r) => text(count(r.total)), wide: true },
  { name: "4xx", key: (r) => r.classes[3], show: (r) => text(count(r.classes[3])), mid: true,
    level: (r) => r.classesNow[3] > 0 ? "warn" : "" },
  { name: "5xx", key: (r) => r.classes[4], show: (r) => text(count(r.classes[4])), mid: true,
    level: (r) => r.classesNow[4] > 0 ? "bad" : "" },
  { name: "p50", key: (r) => r.p50, show: (r) => text(time(r.p50)) },
  { name: "p99", key: (r) => r.p99, show: (r) => text(time(r.p99)) },
  { name: "Handler", key: (r) => r.handler, show: (r) => text(time(r.handler)), mid: true },
];
const WIDTHS = ["", "13%", "9%", "9%", "8%", "8%", "10%", "10%", "10%"];
const NARROW = { 0: "", 2: "18%", 6: "21%", 7: "21%" };
const ROWS_AT_FIRST = 20;
const table = { by: 3, order: "descending", all: false };

const pathOf = (route) => route.path || "without a route";
const columnClass = (column) => column.wide ? "mid wide" : column.mid ? "mid" : "";
function makeColumns() {
  COLUMNS.forEach((column, i) => {
    const inside = column.key ? make("button", { type: "button" }, column.name)
      : make("span", { className: "hidden" }, column.name);
    column.head = make("th", { scope: "col", className: columnClass(column) }, inside);
    if (column.key) inside.addEventListener("click", () => {
      const other = { ascending: "descending", descending: "ascending" };
      table.order = table.by === i ? other[table.order] : column.first ?? "descending";
      table.by = i;
      showRoutes();
    });
    $("columns").append(column.head);
  });
  const phone = matchMedia("(max-width: 640px)");
  const fit = () => COLUMNS.forEach((column, i) => {
    column.head.style.width = (phone.matches ? NARROW[i] : WIDTHS[i]) ?? "";
  });
  phone.addEventListener("change", fit);
  fit();
}
function makeRow(route) {
  route.split = CLASSES.map(([hue]) => make("i", { className: hue }));
  route.bar = make("div", { className: "split" }, ...route.split);
  route.spark = svg("path");
  const graph = svg("svg", { viewBox: "0 0 100 40", preserveAspectRatio: "none",
    "aria-hidden": "true" });
  graph.append(route.spark);
  route.cells = COLUMNS.map((column, i) => make("td", { className: columnClass(column) },
    ...(i === 0 ? [make("div", { className: "path", title: `${route.method} ${pathOf(route)}` },
      make("span", { className: "verb" }, route.method), make("code", {}, pathOf(route))),
      route.bar] : i === 1 ? [graph] : [])));
  route.row = make("tr", {}, ...route.cells);
}
function showRoute(route, busiest) {
  if (!route.row) makeRow(route);
  route.row.className = route.perSecond > 0 ? "" : "idle";
  route.bar.style.width = `${100 * route.perSecond / busiest}%`;
  const shown = sum(route.classesNow) > 0 ? route.classesNow : route.classes;
  route.split.forEach((each, i) => { each.style.flexGrow = shown[i]; });
  route.spark.setAttribute("d", linePath(sparkline(route.history, 1)));
  COLUMNS.forEach((column, i) => {
    if (!column.show) return;
    say(route.cells[i], column.show(route));
    if (column.level) route.cells[i].className = `${columnClass(column)} ${column.level(route)}`;
  });
  return route.row;
}
function showRoutes() {
  COLUMNS.forEach((column, i) => {
    if (i === table.by) column.head.setAttribute("aria-sort", table.order);
    else column.head.removeAttribute("aria-sort");
  });
  const part = $("filter").value.trim().toLowerCase(), { key } = COLUMNS[table.by];
  const sign = table.order === "ascending" ? 1 : -1;
  const known = model.routes.filter(Boolean);
  const found = known.filter((r) => `${r.method} ${pathOf(r)}`.toLowerCase().includes(part));
  found.sort((a, b) => {
    const [x, y] = [key(a) ?? -1, key(b) ?? -1];
    return sign * (x < y ? -1 : x > y ? 1 : 0) || a.path.localeCompare(b.path);
  });
  const shown = table.all ? found : found.slice(0, ROWS_AT_FIRST);
  const busiest = Math.max(1e-9, ...known.map((r) => r.perSecond));
  const rows = shown.map((route) => showRoute(route, busiest)), body = $("routes");
  if (rows.length !== body.children.length || rows.some((row, i) => body.children[i] !== row))
    body.replaceChildren(...rows);
  $("more").hidden = table.all || found.length <= ROWS_AT_FIRST;
  say($("more"), `Show all ${found.length}`);
  say($("routes-note"), known.length ? `${known.length - 1} in all; rates, latencies and times ` +
    "in their handlers are of the last 10 s" : "");
}

// ---- Pools, shards, and what was refused. ----

const pools = new Map();
function showPools() {
  model.now.pools.forEach(([inUse, most], i) => {
    const [name, size] = model.names.pools[i];
    const missed = sum(model.names.counters.map((c, at) => c.pool === name
      ? model.now.counters[at] : 0));
    if (!pools.has(name)) {
      const pool = { bar: make("i"), mark: make("u"), fill: make("span", { className: "fill" }) };
      pool.meter = make("div", { className: "meter" }, pool.bar, pool.mark);
      pool.element = make("div", { className: "pool" }, make("span", { className: "name" }, name),
        pool.fill, pool.meter);
      pools.set(name, pool);
      $("pools").append(pool.element);
    }
    const pool = pools.get(name), full = inUse / Math.max(1, size);
    pool.bar.style.width = `${Math.min(100, 100 * full)}%`;
    pool.mark.style.left = `calc(${Math.min(100, 100 * most / Math.max(1, size))}% - 1px)`;
    pool.mark.hidden = most === 0;
    pool.meter.dataset.level = full >= 0.95 ? "bad" : full >= 0.75 ? "warn" : "";
    pool.fill.replaceChildren(make("b", {}, thousands.format(inUse)),
      ` / ${thousands.format(size)}`, ...(missed > 0 ? [make("span", { className: "tag",
        title: "times that there was nothing left" }, `${text(count(missed))}\u202f× empty`)]
        : []));
  });
}
function rowsInto(id, head, rows) {
  const cells = (list, tag) => list.map((each) => make(tag, {}, each));
  $(id).replaceChildren(...(head ? [make("tr", {}, ...cells(head, "th"))] : []),
    ...rows.map(({ className = "", cells: list }) => make("tr", { className },
      ...(list.length === 1 ? [make("td", { colSpan: 9 }, list[0])] : cells(list, "td")))));
}
function showShards() {
  const then = model.recent[0], seconds = Math.max(0.001, (model.now.at - then.at) / 1000);
  rowsInto("shards", ["", "open", "per s", "received", "sent"],
    model.now.shards.map(([open, requests, received, sent], i) => {
      const each = (now, which) => (now - then.shards[4 * i + which]) / seconds;
      return { cells: [`${i}`, text(count(open)), text(rate(each(requests, 1))),
        `${text(bytes(each(received, 2)))}/s`, `${text(bytes(each(sent, 3)))}/s`] };
    }));
}
const recentCounters = () => model.recent.length > 1 ? since(model.recent, "counters")
  : model.now.counters.map(() => 0);
function showLoop() {
  const first = model.recent[0].busy, last = model.now.busy;
  const busy = percentiles(model.recent.length > 1 ? difference(last, first) : last, QUANTILES);
  rowsInto("loop", LINES.map(([, name]) => name),
    [{ cells: busy.map((ns) => text(time(ns))) }]);
}
function showTraffic(group, open, more = []) {
  const recent = recentCounters();
  rowsInto(group, ["", "all", "last 10 s"], [
    { cells: ["open now", text(count(open)), ""] },
    ...model.names.counters.flatMap(({ group: its, label, kind }, i) => {
      const all = model.now.counters[i];
      if (its !== group || (all === 0 && kind)) return [];
      return [{ cells: [label, text(count(all)), text(count(recent[i]))] }];
    }), ...more]);
}
const TROUBLES = [["pools", "Pools that ran out", "bad"], ["errors", "Errors", "bad"],
  ["limits", "Refused", "warn"], ["timeouts", "Times that passed", "warn"],
  ["others", "Besides", ""]];
function showDrops() {
  const recent = recentCounters(), rows = [];
  let quiet = 0;
  for (const [group, title, level] of TROUBLES) {
    const found = model.names.counters.flatMap(({ group: its, label }, i) => {
      if (its !== group) return [];
      if (model.now.counters[i] === 0) return ++quiet, [];
      return [{ className: recent[i] > 0 ? level : "", cells: [label,
        text(count(model.now.counters[i])), recent[i] > 0 ? `+${text(count(recent[i]))}` : ""] }];
    });
    if (found.length > 0) rows.push({ className: "sub", cells: [title] }, ...found);
  }
  const nothing = rows.length === 0;
  if (!nothing) rows.push({ className: "sub", cells: [`${quiet} other counters are at zero`] });
  rowsInto("drops", nothing ? null : ["", "all", "last 10 s"], nothing ? [{ cells: [make("div",
    { className: "fine" }, `Nothing: all of ${quiet} counters are at zero.`)] }] : rows);
}
)js";

}  // namespace nen::detail
