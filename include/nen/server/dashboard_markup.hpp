// server, L3: what the dashboard's page consists of before the first numbers come.
#pragma once

#include <string_view>

namespace nen::detail {

inline constexpr std::string_view dashboard_head = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Nen Net</title>
<link rel="icon" href="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16
 16'><circle cx='8' cy='8' r='6' fill='none' stroke='%230a8f6c' stroke-width='3'/></svg>">
<style>)html";

inline constexpr std::string_view dashboard_body = R"html(</style>
</head>
<body>
<div class="page">
<header class="top">
<h1><svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="9" fill="none"
 stroke="currentColor" stroke-width="4" opacity=".25"/><path d="M12 3a9 9 0 0 1 9 9" fill="none"
 stroke="currentColor" stroke-width="4" stroke-linecap="round"/></svg>Nen Net
<span class="host" id="host"></span></h1>
<p class="pill" id="state" role="status" data-kind="wait"><i></i><span>Connecting…</span></p>
<p class="up" id="up"></p>
<div class="tools">
<fieldset class="spans"><legend class="hidden">Time shown</legend>
<label><input type="radio" name="span" value="60">1 min</label>
<label><input type="radio" name="span" value="300" checked>5 min</label>
<label><input type="radio" name="span" value="900">15 min</label></fieldset>
<button id="pause" aria-pressed="false" aria-label="Hold still" title="Hold still (Space)">
<svg viewBox="0 0 16 16" fill="currentColor" aria-hidden="true"><path
 d="M4 2.5h2.6v11H4zM9.4 2.5H12v11H9.4z"/></svg></button>
<button id="theme" aria-label="Light or dark" title="Light or dark (T)">
<svg viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="6" fill="none"
 stroke="currentColor" stroke-width="1.8"/><path d="M8 2a6 6 0 0 1 0 12z"
 fill="currentColor"/></svg></button>
</div>
</header>
<div class="banner" id="banner" role="alert" hidden><b></b><span></span></div>
<main>
<section class="tiles" id="tiles" aria-label="Now"></section>
<div class="pair">
<section class="card"><header><h2>Answers per second</h2><ul class="legend" id="rate-legend"></ul>
</header><div class="plot" id="rate" tabindex="0" role="img"></div></section>
<section class="card"><header><h2>Latency</h2><ul class="legend" id="latency-legend"></ul></header>
<div class="plot" id="latency" tabindex="0" role="img"></div></section>
</div>
<section class="card"><header><h2>Routes</h2><p id="routes-note"></p>
<input class="filter" id="filter" type="search" placeholder="Filter" aria-label="Filter routes"
 autocomplete="off" spellcheck="false"></header>
<div class="routes"><table><thead><tr id="columns"></tr></thead><tbody id="routes"></tbody></table>
<button class="more" id="more" hidden></button></div></section>
<div class="thirds">
<section class="card"><header><h2>Pools</h2><p>in use, of all there is; the mark is the
 most there was</p></header><div class="list" id="pools"></div></section>
<div class="stack">
<section class="card"><header><h2>Shards</h2></header><div class="list"><table class="rows"
 id="shards"></table></div></section>
<section class="card"><header><h2>Event loop</h2><p>busy in a turn, the last 10 s</p></header>
<div class="list"><table class="rows" id="loop"></table></div></section>
<section class="card"><header><h2>WebSockets</h2></header><div class="list"><table class="rows"
 id="websockets"></table></div></section>
</div>
<div class="stack">
<section class="card"><header><h2>Connections</h2></header><div class="list"><table class="rows"
 id="connections"></table></div></section>
<section class="card"><header><h2>Refused, cut off, dropped</h2></header><div class="list">
<table class="rows" id="drops"></table></div></section>
</div>
</div>
</main>
<footer>The server's own counters, asked for once a second.</footer>
</div>
<script>)html";

inline constexpr std::string_view dashboard_end = "</script>\n</body>\n</html>\n";

}  // namespace nen::detail
