// server, L3: what the dashboard's page does with its WebSocket: asks once a second, and turns
// running totals into rates and percentiles.
#pragma once

#include <string_view>

namespace nen::detail {

inline constexpr std::string_view dashboard_script = R"js("use strict";
const $ = (id) => document.getElementById(id);
const sum = (list) => list.reduce((a, b) => a + b, 0);
const base = location.pathname.replace(/\/+$/, "");

// ---- Numbers for people. A narrow space keeps a unit at its number. ----

const thousands = new Intl.NumberFormat("en");
function significant(value) {
  if (value >= 99.95) return value.toFixed(0);
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}
function scaled(value, units, step) {
  let at = 0;
  while (Math.abs(value) >= step * 0.9995 && at < units.length - 1) value /= step, ++at;
  return [value, units[at]];
}
function count(value) {
  if (value < 9999.5) return [thousands.format(Math.round(value)), ""];
  const [number, unit] = scaled(value, ["", "k", "M", "G", "T"], 1000);
  return [significant(number), unit];
}
function rate(value) {
  return value > 0 && value < 9.95 ? [value.toFixed(1), ""] : count(value);
}
function time(ns) {
  if (ns === null) return ["–", ""];
  if (ns < 999.5) return [ns.toFixed(0), "ns"];
  const [number, unit] = scaled(ns / 1e3, ["µs", "ms", "s"], 1000);
  return [significant(number), unit];
}
function bytes(value) {
  const [number, unit] = scaled(value, ["B", "KiB", "MiB", "GiB", "TiB"], 1024);
  return [unit === "B" ? number.toFixed(0) : significant(number), unit];
}
function share(value) {
  const percent = 100 * value;
  if (percent === 0) return ["0", "%"];
  if (percent < 0.1) return ["<0.1", "%"];
  return [percent < 9.95 ? percent.toFixed(1) : percent.toFixed(0), "%"];
}
const text = ([number, unit]) => unit === "" ? number : `${number}\u202f${unit}`;
function duration(ms) {
  const s = Math.floor(ms / 1000), parts = [];
  for (const [unit, length] of [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]])
    if (s >= length || (unit === "s" && parts.length === 0))
      parts.push(`${Math.floor(s / length) % ({d: 1e9, h: 24, min: 60, s: 60})[unit]} ${unit}`);
  return parts.slice(0, 2).join(" ");
}

// ---- Histograms: [bucket, count, bucket, count, …], eight buckets for each power of two. ----

/** A bucket may come twice, when a new one was there before the second part was asked for. */
const flat = (pairs) => [...new Map(pairs)].flat();
function lowest(index) {
  const fine = 8 * index, shift = fine < 128 ? 0 : Math.floor(fine / 64) - 1;
  return (fine - 64 * shift) * 2 ** shift;
}
function bucketOf(ns) {
  let low = 0, high = 255;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (lowest(middle) <= ns) low = middle; else high = middle - 1;
  }
  return low;
}
/** What was added to a histogram since it was `before`. */
function difference(now, before) {
  const then = new Map(), added = [];
  for (let i = 0; i < before.length; i += 2) then.set(before[i], before[i + 1]);
  for (let i = 0; i < now.length; i += 2) {
    const more = now[i + 1] - (then.get(now[i]) ?? 0);
    if (more > 0) added.push(now[i], more);
  }
  return added;
}
/** Percentiles, each within its bucket by how many values are below it. */
function percentiles(histogram, wanted) {
  let total = 0;
  for (let i = 1; i < histogram.length; i += 2) total += histogram[i];
  if (total === 0) return wanted.map(() => null);
  return wanted.map((q) => {
    let below = 0;
    for (let i = 0; i < histogram.length; i += 2) {
      const here = histogram[i + 1];
      if (below + here >= q * total) {
        const low = lowest(histogram[i]), high = lowest(histogram[i] + 1);
        return low + (high - low) * Math.max(0, q * total - below) / here;
      }
      below += here;
    }
    return lowest(histogram.at(-2) + 1);
  });
}

// ---- What is known. ----

const CLASSES = [["c1", "1xx"], ["c2", "2xx"], ["c3", "3xx"], ["c4", "4xx"], ["c5", "5xx"]];
const QUANTILES = [0.5, 0.9, 0.99, 0.999];
const KEPT = 15 * 60 + 30, RECENT_MS = 10000, ASKED_AT_ONCE = 16;
const model = { names: null, now: null, samples: [], routes: [], recent: [], marks: [],
  state: "wait", since: Date.now(), paused: false };

/** A route of the server's: its numbers, and what it did lately. */
function newRoute(method, path) {
  return { method, path, total: 0, classes: [0, 0, 0, 0, 0], handlerSum: 0, handlerCount: 0,
    perSecond: 0, history: [], classesNow: [0, 0, 0, 0, 0], p50: null, p99: null, handler: null,
    seen: [], histograms: [], asked: -1 };
}
/** Drops what is older than ten seconds, but keeps one to compare with. */
function forgetOld(list, at) {
  while (list.length > 2 && at - list[1].at >= RECENT_MS) list.shift();
}
function since(list, key) {
  const first = list[0], last = list.at(-1);
  return last[key].map((value, i) => value - first[key][i]);
}

// Every message is a list: of what kind, of which route, how many items came before, and its items.
let coming = {};
function add(to, first, rows) {
  to.splice(first, to.length, ...rows);
}
function takeNames([[start, process, version]]) {
  const boot = `${start} ${process}`;
  if (model.names !== null && model.names.boot !== boot) {
    model.marks.push({ at: Date.now(), what: "started again" });
    model.routes = [];
  }
  for (const list of [model.recent, ...model.routes.map((r) => r.seen)]) list.length = 0;
  model.names = { boot, version, counters: [], pools: [] };
  model.now = null;
  model.goesOn = false;  // what was meanwhile is not known
}
function takeRouteNames(first, rows) {
  rows.forEach(([method, path], i) => {
    const known = model.routes[first + i];
    if (!known || known.path !== path || known.method !== method)
      model.routes[first + i] = newRoute(method, path);
  });
}
/** Where a counter is shown, and by which name. Names are those of /metrics. */
function counterName([name, pool, kind]) {
  const plain = name.replace(/^nen_/, "").replace(/_total$/, "");
  const words = (kind || plain).replaceAll("_", " ");
  if (pool) return { name, pool, group: "pools", label: `${pool}: ${kind}` };
  if (name === "closes") return { name, group: "connections", label: `closed: ${words}`, kind };
  // Idle connections are closed every day; how many there were stands among the connections.
  if (plain === "timeouts") return { name, group: kind === "idle" ? "traffic" : "timeouts",
    label: words };
  if (/^connections_(accepted|closed)$/.test(plain))
    return { name, group: "connections", label: plain.slice(12) };
  if (plain.startsWith("websocket"))
    return { name, group: "websockets", label: words.replace(/^websockets? /, "") };
  if (/^(requests|requests_deferred|received_bytes|sent_bytes|log_lines)$/.test(plain))
    return { name, group: "traffic", label: words };
  if (/reject|refus|denied|limit|blacklist/.test(plain))
    return { name, group: "limits", label: words };
  const error = /error|fail|exception|abort|replaced|dropped|stale/.test(plain);
  return { name, group: error ? "errors" : "others", label: words };
}
function counter(name, totals = model.now) {
  const at = model.names.counters.findIndex((each) => each.name === name);
  return at < 0 ? 0 : totals.counters[at];
}
function poolNamed(name) {
  const at = model.names.pools.findIndex(([each]) => each === name);
  return at < 0 ? [0, 1] : [model.now.pools[at][0], model.names.pools[at][1]];
}

/** The numbers of the whole server. */
function takeTotals(parts) {
  const before = model.now, [at, state, user, kernel, resident] = parts.process;
  const bytesOf = (which) => sum(parts.shards.map((shard) => shard[which]));
  const totals = model.now = { at, state: ["ok", "overloaded", "draining"][state],
    cpu: [user, kernel], resident, counters: parts.counters, pools: parts.pools,
    shards: parts.shards, groups: parts.groups,
    latency: flat(parts.latency), busy: flat(parts.busy),
    classes: CLASSES.map((_, i) => sum(parts.routes.map((row) => row[i]))),
    bytes: [bytesOf(2), bytesOf(3)], open: sum(parts.shards.map(([open]) => open)),
    seen: Date.now() };
  totals.websockets = counter("nen_websockets_opened_total") -
    counter("nen_websockets_closed_total");
  model.recent.push({ at, counters: totals.counters, busy: totals.busy,
    shards: totals.shards.flat() });
  forgetOld(model.recent, at);
  const seconds = before === null ? 0 : (at - before.at) / 1000;
  if (seconds <= 0) return;
  const each = (now, then) => now.map((value, i) => Math.max(0, value - then[i]) / seconds);
  const heat = difference(totals.latency, before.latency);
  const added = (name) => counter(name) - counter(name, before);
  model.samples.push({
    at: totals.seen, seconds, goesOn: model.goesOn, heat,
    classes: each(totals.classes, before.classes),
    quantiles: percentiles(heat, QUANTILES), open: totals.open,
    cpu: each(totals.cpu, before.cpu).map((us) => us / 1e6),
    bytes: each(totals.bytes, before.bytes), websockets: totals.websockets,
    accepted: added("connections_accepted") / seconds,
    messages: added("nen_websocket_messages_received_total") / seconds,
    busy: percentiles(difference(totals.busy, before.busy), [0.99])[0],
  });
  model.goesOn = true;
  if (model.samples.length > KEPT) model.samples.shift();
}

/** One row a route: answers by class, and the time in the handler: its sum, and of how many. */
function takeRoutes(rows) {
  const at = model.now.at;
  rows.forEach(([c1, c2, c3, c4, c5, handlerSum, handlerCount], i) => {
    const route = model.routes[i];
    if (!route) return;
    route.classes = [c1, c2, c3, c4, c5];
    const total = sum(route.classes);
    route.fresh = total - route.total;
    route.total = total;
    route.seen.push({ at, classes: route.classes, handler: [handlerSum, handlerCount] });
    forgetOld(route.seen, at);
    const seconds = (at - route.seen[0].at) / 1000;
    route.classesNow = since(route.seen, "classes");
    route.perSecond = seconds > 0 ? sum(route.classesNow) / seconds : 0;
    const [took, times] = since(route.seen, "handler");
    route.handler = times > 0 ? took / times : null;
    const last = route.seen.at(-2);
    route.history.push(last && at > last.at
      ? Math.max(0, total - sum(last.classes)) * 1000 / (at - last.at) : 0);
    if (route.history.length > 60) route.history.shift();
  });
}
function takeHistogram(index, first, rows) {
  const route = model.routes[index];
  if (!route) return;
  if (first === 0) route.histograms.push({ at: model.now.at, latency: [] });
  forgetOld(route.histograms, model.now.at);
  const { latency } = route.histograms.at(-1);
  add(latency, 2 * first, flat(rows));
  const { histograms } = route;
  const added = histograms.length > 1 ? difference(latency, histograms[0].latency) : latency;
  [route.p50, route.p99] = percentiles(added.length ? added : latency, [0.5, 0.99]);
}
/** The routes that did most since their histograms came, and then those that waited longest. */
function routesToAsk() {
  return model.routes.map((route, index) => ({ route, index }))
    .filter(({ route }) => route.total > 0 && route.asked !== route.total)
    .sort((a, b) => (b.route.fresh - a.route.fresh) || (a.route.asked - b.route.asked))
    .slice(0, ASKED_AT_ONCE).map(({ route, index }) => (route.asked = route.total, index));
}

// ---- The WebSocket. ----

const SILENCE_MS = 6000, PERIOD_MS = 1000;
let socket = null, timer = 0, watch = 0, tries = 0, askedAt = 0;

function setState(state) {
  if (model.state !== state) model.since = Date.now();
  model.state = state;
  onState();
}
function ask() {
  askedAt = performance.now();
  socket.send("s");
  clearTimeout(watch);
  watch = setTimeout(lost, SILENCE_MS);  // closing would wait for an answer as well
}
function lost() {
  clearTimeout(timer);
  clearTimeout(watch);
  if (socket !== null) {
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
  socket = null;
  setState("gone");
  model.retryAt = Date.now() + Math.min(5000, 500 * 2 ** tries++);
  timer = setTimeout(connect, model.retryAt - Date.now());
  // A page cannot see why its WebSocket was refused; whether it may see the page again, it can.
  if (tries > 1) fetch(base || "/", { method: "HEAD", cache: "no-store" })
    .then((answer) => { if (answer.status === 401) location.reload(); }, () => {});
}
function connect() {
  coming = {};
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}` +
    `${base}/live`);
  socket.onopen = () => { socket.send("n"); ask(); };
  socket.onclose = lost;
  socket.onmessage = (event) => take(JSON.parse(event.data));
  clearTimeout(watch);
  watch = setTimeout(lost, SILENCE_MS);
}
function take({ kind, of, first, rows }) {
  switch (kind) {
    case "names": return takeNames(rows);
    case "counter_names": return add(model.names.counters, first, rows.map(counterName));
    case "pool_names": return add(model.names.pools, first, rows);
    case "route_names": return takeRouteNames(first, rows);
    case "histogram": return takeHistogram(of, first, rows);
    case "end": return takeEnd();
    default: add(coming[kind] ??= [], first, rows);
  }
}
/** All of this second's numbers are here. */
function takeEnd() {
  takeTotals(coming);
  takeRoutes(coming.routes);
  coming = {};
  tries = 0;
  clearTimeout(watch);
  const wanted = routesToAsk();
  if (wanted.length > 0) socket.send(`h ${wanted.join(" ")}`);
  setState(model.now.state);
  if (!model.paused) onNumbers();
  timer = setTimeout(ask, Math.max(100, PERIOD_MS - (performance.now() - askedAt)));
}
)js";

}  // namespace nen::detail
