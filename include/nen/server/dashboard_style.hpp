// server, L3: how the dashboard's page looks: light and dark, from a phone to a wall.
#pragma once

#include <string_view>

namespace nen::detail {

inline constexpr std::string_view dashboard_style = R"css(
/* Each colour is given for light and for dark; color-scheme chooses. */
:root { color-scheme: light dark; --ground: light-dark(#f7f6f2, #0f1416);
  --card: light-dark(#fff, #161d20); --ink: light-dark(#1b2226, #e9eeec);
  --soft: light-dark(#5c676d, #9aa6aa); --faint: light-dark(#79848a, #78858a);
  --line: light-dark(#e4e1d9, #263035); --track: light-dark(#eeece5, #222b2f);
  --accent: light-dark(#08775a, #4fd1a5); --glow: light-dark(#08775a40, #4fd1a540);
  --c1: light-dark(#7a68ae, #b0a1e0); --c2: light-dark(#0a8a68, #45c99d);
  --c3: light-dark(#2b7fb8, #62b6ee); --c4: light-dark(#b87400, #efb03f);
  --c5: light-dark(#c8470a, #f5804a);
  --shade: 0 1px 2px light-dark(#1b22260a, #0000), 0 6px 20px light-dark(#1b22260a, #0000); }
:root[data-theme=light] { color-scheme: light; }
:root[data-theme=dark] { color-scheme: dark; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--ink); min-height: 100vh;
  font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  font-variant-numeric: tabular-nums; }
h1, h2, p, ul, dl, dd, fieldset { margin: 0; padding: 0; border: 0; list-style: none; }
h2 { font-size: 14px; font-weight: 620; letter-spacing: -.005em; }
button, input { font: inherit; color: inherit; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 6px; }
.page { max-width: 1480px; margin: 0 auto; padding: 0 clamp(12px, 2.4vw, 32px) 40px; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }

/* The top: who, how it is, what to see. */
.top { display: flex; flex-wrap: wrap; align-items: center; gap: 10px 16px; padding: 18px 0 16px; }
.top h1 { display: flex; align-items: center; gap: 10px; font-size: 19px; font-weight: 680;
  letter-spacing: -.02em; white-space: nowrap; }
.top h1 svg { width: 24px; height: 24px; color: var(--accent); }
.top .host { color: var(--soft); font-size: 14px; font-weight: 450; letter-spacing: 0;
  overflow: hidden; text-overflow: ellipsis; }
.pill { display: inline-flex; align-items: center; gap: 8px; padding: 4px 12px 4px 10px;
  border-radius: 99px; background: var(--card); border: 1px solid var(--line); font-weight: 560;
  white-space: nowrap; transition: border-color .4s; }
.pill i { width: 8px; height: 8px; border-radius: 50%; background: var(--faint);
  transition: background .4s; }
.pill[data-kind=live] i { background: var(--c2); animation: beat 2s ease-out infinite; }
.pill[data-kind=warn] { border-color: var(--c4); }
.pill[data-kind=warn] i { background: var(--c4); }
.pill[data-kind=gone] { border-color: var(--c5); }
.pill[data-kind=gone] i { background: var(--c5); }
@keyframes beat { 0% { box-shadow: 0 0 0 0 var(--glow); }
  70%, 100% { box-shadow: 0 0 0 8px #0000; } }
.up { color: var(--soft); white-space: nowrap; }
.tools { display: flex; gap: 8px; margin-left: auto; }
.tools button, .spans { border: 1px solid var(--line); background: var(--card); height: 34px;
  border-radius: 9px; }
.tools button { width: 36px; display: grid; place-items: center; cursor: pointer; padding: 0; }
.tools button:hover { border-color: var(--faint); }
.tools button[aria-pressed=true] { background: var(--ink); color: var(--ground);
  border-color: var(--ink); }
.tools svg { width: 16px; height: 16px; }
.spans { display: flex; padding: 2px; }
.spans label { padding: 0 10px; line-height: 28px; border-radius: 7px; cursor: pointer;
  color: var(--soft); font-weight: 540; white-space: nowrap; }
.spans label:has(:checked) { background: var(--track); color: var(--ink); }
.spans label:has(:focus-visible) { outline: 2px solid var(--accent); }
.spans input { position: absolute; opacity: 0; pointer-events: none; }
.banner { display: flex; gap: 12px; align-items: baseline; margin: 0 0 14px; padding: 11px 16px;
  border-radius: 12px; border: 1px solid var(--c5); background: color-mix(in srgb, var(--c5) 9%,
  var(--card)); }
.banner[data-kind=warn] { border-color: var(--c4);
  background: color-mix(in srgb, var(--c4) 9%, var(--card)); }
.banner[hidden] { display: none; }
.banner b { font-weight: 640; }
.banner span { color: var(--soft); }
main { display: grid; gap: 14px; transition: opacity .4s; }
.stale main { opacity: .55; }

/* Cards. */
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px;
  box-shadow: var(--shade); min-width: 0; }
.card > header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 16px;
  padding: 14px 18px 0; }
.card > header p { color: var(--soft); font-size: 12.5px; }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 14px; }
.tile { position: relative; overflow: hidden; padding: 13px 18px 52px; }
.tile h2 { color: var(--soft); font-weight: 540; font-size: 13px; }
.tile output { display: block; font-size: 29px; line-height: 1.2; font-weight: 640;
  letter-spacing: -.028em; white-space: nowrap; margin-top: 2px; }
.tile output small { font-size: 15px; font-weight: 520; letter-spacing: 0; color: var(--soft);
  margin-left: 3px; }
.tile p { color: var(--soft); font-size: 12.5px; white-space: nowrap; overflow: hidden;
  text-overflow: ellipsis; min-height: 1.45em; }
.tile svg { position: absolute; inset: auto 0 0 0; width: 100%; height: 44px; }
.tile .area { fill: var(--hue, var(--accent)); opacity: .13; }
.tile .line { fill: none; stroke: var(--hue, var(--accent)); stroke-width: 1.6;
  stroke-linejoin: round; vector-effect: non-scaling-stroke; }
.tile[data-level=warn] { --hue: var(--c4); }
.tile[data-level=bad] { --hue: var(--c5); }
.tile[data-level=warn] output, .tile[data-level=bad] output { color: var(--hue); }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 14px; }
.thirds { display: grid; grid-template-columns: 1.15fr 1fr 1fr; gap: 14px; align-items: start; }
.stack { display: grid; gap: 14px; }

/* Charts. */
.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; margin-left: auto; font-size: 12.5px;
  color: var(--soft); }
.legend li { display: flex; align-items: center; gap: 6px; white-space: nowrap; }
.legend i { width: 9px; height: 9px; border-radius: 3px; background: var(--hue); }
.legend b { color: var(--ink); font-weight: 600; }
.plot { position: relative; height: 250px; margin: 8px 12px 10px 6px; touch-action: pan-y; }
.plot canvas, .plot svg { position: absolute; inset: 0; width: 100%; height: 100%; }
.plot text { fill: var(--faint); font-size: 11.5px; }
.plot .grid { stroke: var(--line); stroke-width: 1; shape-rendering: crispEdges; }
.plot .mark { stroke: var(--faint); stroke-dasharray: 2 4; }
.plot .cross { stroke: var(--soft); stroke-width: 1; shape-rendering: crispEdges; }
.plot .line { fill: none; stroke: var(--hue); stroke-width: 1.8; stroke-linejoin: round;
  stroke-linecap: round; }
.plot .line.c5 { stroke-width: 1.3; }
.plot .area { fill: var(--hue); opacity: .75; }
.plot .area.c2 { opacity: .2; }
.plot canvas { color: var(--accent); }
.plot .dot { fill: var(--hue); stroke: var(--card); stroke-width: 2; }
.empty { position: absolute; inset: 0 0 24px; display: grid; place-content: center;
  text-align: center; color: var(--soft); pointer-events: none; padding: 0 20px; }
.empty[hidden] { display: none; }
.tip { position: absolute; top: 6px; z-index: 2; padding: 8px 12px; border-radius: 10px;
  background: var(--ink); color: var(--ground); font-size: 12.5px; pointer-events: none;
  white-space: nowrap; box-shadow: 0 6px 24px #0003; }
.tip[hidden] { display: none; }
.tip table { border-spacing: 0; }
.tip td { padding: 1px 0; }
.tip td:last-child { text-align: right; padding-left: 16px; font-weight: 600; }
.tip i { display: inline-block; width: 8px; height: 8px; border-radius: 2px; margin-right: 7px;
  background: var(--hue); }
.c1 { --hue: var(--c1); } .c2 { --hue: var(--c2); } .c3 { --hue: var(--c3); }
.c4 { --hue: var(--c4); } .c5 { --hue: var(--c5); }

/* Routes. */
.filter { margin-left: auto; width: min(220px, 100%); height: 32px; padding: 0 12px;
  border: 1px solid var(--line); border-radius: 9px; background: var(--ground); }
.routes { padding: 6px 6px 10px; }
.routes table { width: 100%; border-collapse: collapse; table-layout: fixed; }
.routes th { padding: 0; font-weight: 540; color: var(--soft); font-size: 12.5px;
  border-bottom: 1px solid var(--line); }
.routes th button { all: unset; display: block; box-sizing: border-box; width: 100%;
  padding: 8px 12px; text-align: right; cursor: pointer; white-space: nowrap; }
.routes th:first-child button { text-align: left; }
.routes th button:hover { color: var(--ink); }
.routes th button:focus-visible { outline: 2px solid var(--accent); border-radius: 6px; }
.routes th[aria-sort=descending] button::after { content: " ↓"; color: var(--accent); }
.routes th[aria-sort=ascending] button::after { content: " ↑"; color: var(--accent); }
.routes th[aria-sort] button { color: var(--ink); }
.routes td { padding: 8px 12px; text-align: right; white-space: nowrap; overflow: hidden;
  text-overflow: ellipsis; border-bottom: 1px solid color-mix(in srgb, var(--line) 55%, #0000); }
.routes tr:last-child td { border-bottom: 0; }
.routes tbody tr:hover td { background: color-mix(in srgb, var(--track) 55%, #0000); }
.routes tr.idle td { color: var(--faint); }
.routes td:first-child { text-align: left; }
.routes .path { display: flex; gap: 10px; align-items: baseline; }
.routes code { font: 13px/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
  overflow: hidden; text-overflow: ellipsis; }
.routes .verb { flex: none; width: 46px; font-size: 11px; font-weight: 640; letter-spacing: .03em;
  color: var(--soft); }
.split { display: flex; gap: 1px; height: 3px; margin-top: 5px; border-radius: 2px;
  overflow: hidden; transition: width .6s; }
.split i { background: var(--hue); flex: 0 0 0; transition: flex-grow .6s; }
.routes svg { display: block; width: 100%; height: 22px; }
.routes svg path { fill: none; stroke: var(--accent); stroke-width: 1.4; stroke-linejoin: round;
  vector-effect: non-scaling-stroke; }
.routes td.bad { color: var(--c5); font-weight: 600; }
.routes td.warn { color: var(--c4); font-weight: 600; }
.more { display: block; margin: 8px auto 2px; padding: 5px 16px; border-radius: 8px;
  border: 1px solid var(--line); background: none; color: var(--soft); cursor: pointer; }
.more[hidden] { display: none; }

/* Pools, shards, and what went wrong. */
.list { padding: 8px 18px 14px; display: grid; gap: 1px; }
.pool { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 12px; padding: 6px 0; }
.pool .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.pool .fill { color: var(--soft); font-size: 12.5px; white-space: nowrap; }
.pool .fill b { color: var(--ink); font-weight: 600; }
.meter { grid-column: 1 / -1; position: relative; height: 6px; margin-top: 4px;
  border-radius: 3px; background: var(--track); }
.meter i { position: absolute; inset: 0 auto 0 0; border-radius: 3px; background: var(--hue);
  --hue: var(--c2); transition: width .6s; min-width: 0; }
.meter u { position: absolute; top: -2px; bottom: -2px; width: 2px; border-radius: 1px;
  background: var(--soft); transition: left .6s; }
.meter[data-level=warn] i { --hue: var(--c4); } .meter[data-level=bad] i { --hue: var(--c5); }
.tag { display: inline-block; margin-left: 8px; padding: 0 7px; border-radius: 99px;
  font-size: 11.5px; font-weight: 600; color: var(--c5);
  background: color-mix(in srgb, var(--c5) 13%, #0000); }
.rows { width: 100%; border-collapse: collapse; }
.rows th { font-weight: 540; font-size: 12.5px; color: var(--soft); padding: 6px 0;
  text-align: right; border-bottom: 1px solid var(--line); }
.rows td { padding: 6px 0; text-align: right; }
.rows th:first-child, .rows td:first-child { text-align: left; }
.rows td:first-child { overflow-wrap: anywhere; padding-right: 10px; }
.rows tr.bad td { color: var(--c5); font-weight: 600; }
.rows tr.warn td { color: var(--c4); font-weight: 600; }
.rows .sub td { color: var(--soft); font-size: 12.5px; padding: 12px 0 4px; font-weight: 560; }
.rows tr.sub:first-child td { padding-top: 4px; }
.fine { display: flex; gap: 10px; align-items: center; padding: 10px 0 4px; color: var(--soft); }
.fine::before { content: ""; flex: none; width: 7px; height: 12px; margin: -4px 4px 0 2px;
  border: solid var(--c2); border-width: 0 2px 2px 0; transform: rotate(42deg); }
footer { margin-top: 18px; color: var(--faint); font-size: 12.5px; text-align: center; }

@media (max-width: 1180px) {
  .thirds { grid-template-columns: 1fr 1fr; }
  .thirds > :nth-child(2) { grid-area: 1 / 2 / span 2; }
  .routes .wide { display: none; }
}
@media (max-width: 860px) {
  .pair, .thirds { grid-template-columns: minmax(0, 1fr); }
  .tiles { grid-template-columns: 1fr 1fr; }
}
@media (max-width: 640px) {
  .tiles { gap: 10px; } main { gap: 10px; } .pair, .thirds, .stack { gap: 10px; }
  .top { padding: 12px 0; gap: 8px 12px; }
  .top .host { display: none; }
  .up { margin-left: auto; } .up span { display: none; }
  .tools { width: 100%; margin: 0; } .spans { flex: 1; } .spans label { flex: 1;
    text-align: center; }
  .tools button { width: 44px; height: 40px; } .spans { height: 40px; }
  .spans label { line-height: 34px; }
  .tile { padding: 11px 14px 40px; } .tile output { font-size: 25px; }
  .tile p { white-space: normal; min-height: 2.9em; }
  .tile svg { height: 36px; }
  .card > header { padding: 12px 14px 0; } .legend { margin-left: 0; }
  .plot { height: 210px; margin: 6px 8px 8px 2px; } .list { padding: 8px 14px 12px; }
  .routes .mid { display: none; } .routes td { padding: 9px 7px; }
  .routes th button { padding: 9px 7px; } .routes .verb { width: auto; font-size: 10px; }
  .routes .path { display: grid; gap: 0; }
  .filter { height: 38px; margin-left: 0; width: 100%; }
}
@media (prefers-reduced-motion: reduce) { * { transition: none !important;
  animation: none !important; } }
)css";

}  // namespace nen::detail
