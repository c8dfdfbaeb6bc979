// The chat's page: everything in one answer, nothing from elsewhere, light and dark, for screens of
// all sizes.
#pragma once

#include <string_view>

namespace chat {

inline constexpr std::string_view page = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover,
 interactive-widget=resizes-content">
<meta name="color-scheme" content="light dark">
<title>Chat</title>
<link rel="icon" href="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'
 viewBox='0 0 16 16'><path d='M2 3h12v8H7l-3 3v-3H2z' fill='%230a8f6c'/></svg>">
<style>
:root { --ground: #f6f4ee; --ink: #1c2226; --soft: #626b71; --line: #e2dfd6; --card: #fff;
  --accent: #08775a; --mine: #d9f0e6; --light: 36%; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #12171a; --ink: #e8ebe9; --soft: #96a1a6; --line: #2a3237; --card: #1d2529;
    --accent: #4fd1a5; --mine: #17453a; --light: 72%; }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; height: 100vh; height: 100dvh; background: var(--ground); color: var(--ink);
  font: 16px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { display: flex; flex-direction: column; height: 100%; max-width: 44rem; margin: 0 auto;
  padding: env(safe-area-inset-top) env(safe-area-inset-right) env(safe-area-inset-bottom)
    env(safe-area-inset-left); }
header { display: flex; align-items: baseline; gap: .6rem; padding: .8rem 1rem;
  border-bottom: 1px solid var(--line); }
h1 { margin: 0; font-size: 1.15rem; letter-spacing: -.01em; }
#state { margin-left: auto; color: var(--soft); font-size: .88rem; }
#state::before { content: ""; display: inline-block; width: .55em; height: .55em;
  margin-right: .45em; border-radius: 50%; background: #d9952b; }
#state.open::before { background: var(--accent); }
#log { flex: 1; min-height: 0; overflow-y: auto; overscroll-behavior: contain; margin: 0;
  padding: 1rem; list-style: none; display: flex; flex-direction: column; gap: .5rem; }
#log li { max-width: 85%; overflow-wrap: anywhere; }
#log li:first-child { margin-top: auto; }
.line { align-self: flex-start; padding: .45rem .8rem; border: 1px solid var(--line);
  border-radius: .3rem 1rem 1rem 1rem; background: var(--card); }
.line.mine { align-self: flex-end; border-color: transparent; background: var(--mine);
  border-radius: 1rem .3rem 1rem 1rem; }
.line b { color: hsl(var(--hue) 60% var(--light)); font-size: .85rem; margin-right: .6em; }
.line time { color: var(--soft); font-size: .75rem; }
.line p { margin: 0; white-space: pre-wrap; }
.news { align-self: center; color: var(--soft); font-size: .84rem; text-align: center; }
form { display: flex; gap: .6rem; padding: .8rem 1rem; border-top: 1px solid var(--line); }
input, button { font: inherit; border-radius: 1.4rem; padding: .6rem 1.1rem; }
input { flex: 1; min-width: 0; border: 1px solid var(--line); background: var(--card);
  color: inherit; }
button { border: 0; background: var(--accent); color: var(--ground); font-weight: 600; }
button:disabled { opacity: .45; }
input:focus-visible, button:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
#welcome { margin: auto; padding: 1.5rem; width: min(24rem, 100%); flex-wrap: wrap; border: 0; }
#welcome h2 { margin: 0; width: 100%; font-size: 1.7rem; letter-spacing: -.02em; }
#welcome p { margin: 0 0 .6rem; width: 100%; color: var(--soft); }
#problem:not(:empty) { color: #c2412d; }
</style>
</head>
<body>
<main>
<header><h1>Chat</h1><span id="state" role="status">Not connected</span></header>
<form id="welcome">
<h2><label for="name">Who are you?</label></h2>
<p id="problem" role="alert"></p>
<input id="name" maxlength="32" autocomplete="nickname" required enterkeyhint="go">
<button>Join</button>
</form>
<ol id="log" role="log" aria-live="polite" hidden></ol>
<form id="say" hidden>
<input id="text" maxlength="1024" autocomplete="off" enterkeyhint="send" aria-label="Your message"
 placeholder="Say something">
<button disabled>Send</button>
</form>
</main>
<script>
const $ = (id) => document.getElementById(id);
const bytesMax = 1024;     // of a line; the server closes on a longer one
const waitMax = 15_000;    // ms between attempts to connect, at most
const linesKept = 500;
let name = "";
let socket = null;
let wait = 0, timer = 0;
let lastNumber = 0;        // lines up to this one are in the log: they come again after a reconnect

function connect() {
  clearTimeout(timer);
  if (socket) return;
  const mine = socket = new WebSocket(location.href.replace(/^http/, "ws").replace(/[?#].*/, "") +
    "chat");
  mine.onopen = () => mine.send(name);
  mine.onmessage = ({ data }) => heard(JSON.parse(data));
  mine.onclose = ({ code, reason }) => {
    socket = null;
    if (code === 1008) return ask(reason);
    show(false, "Reconnecting…");
    // Longer each time, and not all pages at once when a server comes back.
    wait = Math.min(waitMax, Math.max(400, wait * 2));
    timer = setTimeout(connect, wait * (0.5 + Math.random() / 2));
  };
}
function again() {
  if (name && document.visibilityState === "visible") connect();
}
addEventListener("online", again);
document.addEventListener("visibilitychange", again);

function show(isOpen, text) {
  $("state").className = isOpen ? "open" : "";
  $("state").textContent = text;
  $("say").querySelector("button").disabled = !isOpen;
}

/// Asks for a name; a problem is what was wrong with the last one.
function ask(problem) {
  name = "";
  show(false, "Not connected");
  $("problem").textContent = problem;
  $("welcome").hidden = false;
  $("log").hidden = $("say").hidden = true;
  $("name").focus();
}

function heard(message) {
  if (message.kind === "line") {
    if (message.number <= lastNumber) return;
    lastNumber = message.number;
    return addLine(message);
  }
  // Whoever is told that somebody came is in himself.
  wait = 0;
  show(true, message.here === 1 ? "Only you" : `${message.here} here`);
  const who = document.createElement("bdi");
  who.textContent = message.name;
  add("news", who, message.kind === "joined" ? " joined" : " left");
}

function addLine({ name: from, text, at }) {
  const who = document.createElement("b");
  who.append(Object.assign(document.createElement("bdi"), { textContent: from }));
  const sum = [...from].reduce((before, letter) => before * 31 + letter.codePointAt(0) & 0xffff, 7);
  const hue = sum * 137 % 360;  // names that are much alike get colours that are not
  who.style.setProperty("--hue", hue);
  const when = document.createElement("time");
  const date = new Date(at * 1000);
  when.dateTime = date.toISOString();
  when.textContent = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const what = Object.assign(document.createElement("p"), { textContent: text, dir: "auto" });
  add(from === name ? "line mine" : "line", who, when, what);
}

function add(className, ...parts) {
  const log = $("log");
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  const item = document.createElement("li");
  item.className = className;
  item.append(...parts);
  log.append(item);
  if (log.children.length > linesKept) log.firstChild.remove();
  if (isAtEnd) log.scrollTop = log.scrollHeight;
}

$("welcome").onsubmit = (event) => {
  event.preventDefault();
  const given = $("name").value.trim();
  if (!given) return;
  name = given;
  try { localStorage.setItem("name", name); } catch { /* it is only for next time */ }
  $("welcome").hidden = true;
  $("log").hidden = $("say").hidden = false;
  show(false, "Connecting…");
  connect();
  $("text").focus();
};
$("say").onsubmit = (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text || socket?.readyState !== WebSocket.OPEN) return;
  const isTooLong = new TextEncoder().encode(text).length > bytesMax;
  $("text").setCustomValidity(isTooLong ? "This is too long for one message." : "");
  if (!$("text").reportValidity()) return;
  socket.send(text);
  $("text").value = "";
};
$("text").oninput = () => $("text").setCustomValidity("");
try { $("name").value = localStorage.getItem("name") ?? ""; } catch { /* nobody was here */ }
$("name").focus();
</script>
</body>
</html>
)html";

}  // namespace chat
