// server, L3: what makes the dashboard's page go: how the server is, the looks, keys, and the first
// connection.
#pragma once

#include <string_view>

namespace nen::detail {

inline constexpr std::string_view dashboard_start = R"js(
// ---- How the server is. ----

const STATES = {
  wait: ["wait", "Connecting…"], ok: ["live", "Live"],
  gone: ["gone", "No answer"], draining: ["warn", "Draining"], overloaded: ["warn", "Overloaded"],
};
const BANNERS = {
  gone: () => ["The server does not answer.", `Last heard ${new Date(model.now?.seen ??
    model.since).toTimeString().slice(0, 8)}. This page tries again by itself.`],
  draining: () => ["The server is stopping.", "It finishes what it has begun " +
    "and takes nothing new."],
  overloaded: () => ["The server is overloaded.",
    "Connections or answers have to wait for a pool: see which one is full, below."],
};
function onState() {
  const [kind, words] = STATES[model.state] ?? STATES.ok;
  const still = model.paused && kind === "live";
  $("state").dataset.kind = still ? "wait" : kind;
  say($("state").lastChild, still ? "Held still" : words);
  document.documentElement.classList.toggle("stale", kind === "gone");
  const banner = BANNERS[model.state]?.();
  $("banner").hidden = !banner;
  $("banner").dataset.kind = kind;
  if (banner) banner.forEach((part, i) => say($("banner").children[i], part));
  document.title = kind === "live" ? `${location.host} · Nen Net`
    : `${words} · ${location.host} · Nen Net`;
}

// ---- Drawing. ----

makeTiles();
makeColumns();
const ratePlot = new Plot($("rate"), "No answers yet: they show here as they come.",
  (s) => s ? `Answers per second: ${text(rate(sum(s.classes)))}` : "Answers per second");
const latencyPlot = new Plot($("latency"), "Nothing to measure yet.",
  (s) => s ? "Latency: " + LINES.map(([, name], i) => `${name} ${text(time(s.quantiles[i]))}`)
    .join(", ") : "Latency");
const rateValues = makeLegend("rate-legend", CLASSES);
const latencyValues = makeLegend("latency-legend", LINES);
const span = () => Number(document.querySelector("[name=span]:checked").value);

function draw() {
  drawRate(ratePlot, span());
  drawLatency(latencyPlot, span());
}
function onNumbers() {
  $("up").replaceChildren(`up ${duration(model.now.at)}`,
    make("span", {}, ` · nen ${model.names.version}`));
  showTiles();
  showLegends(rateValues, latencyValues);
  draw();
  showRoutes();
  showPools();
  showShards();
  showLoop();
  showTraffic("connections", model.now.open);
  showTraffic("websockets", model.now.websockets, model.now.groups.map(([members, missed], i) => (
    { cells: [`group ${i + 1}: members${missed ? ", and what they missed" : ""}`,
      text(count(members)), missed ? text(count(missed)) : ""] })));
  showDrops();
}

// ---- What people choose; the browser keeps it, where it may. ----

const choices = {
  get: (name) => { try { return localStorage.getItem(`nen ${name}`); } catch { return null; } },
  set: (name, value) => {
    try { localStorage.setItem(`nen ${name}`, value); } catch { /* it may not: never mind */ }
  },
};
const dark = matchMedia("(prefers-color-scheme: dark)");
function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  draw();
}
$("theme").addEventListener("click", () => {
  const now = document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light");
  const next = now === "dark" ? "light" : "dark";
  choices.set("theme", next);
  setTheme(next);
});
dark.addEventListener("change", () => draw());
$("pause").addEventListener("click", () => {
  model.paused = !model.paused;
  model.pausedAt = Date.now();
  $("pause").setAttribute("aria-pressed", model.paused);
  onState();
  if (!model.paused && model.now !== null) onNumbers();
});
for (const each of document.querySelectorAll("[name=span]")) {
  each.checked = each.value === (choices.get("span") ?? "300");
  each.addEventListener("change", () => (choices.set("span", each.value), draw()));
}
$("filter").addEventListener("input", () => (table.all = false, showRoutes()));
$("more").addEventListener("click", () => (table.all = true, showRoutes()));
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, button")) return;
  const pressed = { " ": "pause", t: "theme" }[event.key];
  if (event.key === "/") $("filter").focus();
  else if (pressed) $(pressed).click();
  else return;
  event.preventDefault();
});

say($("host"), location.host);
setTheme(choices.get("theme"));
onState();
// While nothing comes, time goes on all the same.
setInterval(() => { if (model.state === "gone" && !model.paused) draw(); }, 1000);
connect();
)js";

}  // namespace nen::detail
