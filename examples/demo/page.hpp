// The demo's page: everything in one answer, nothing from elsewhere, light and dark.
#pragma once

#include <string_view>

namespace demo {

inline constexpr std::string_view page = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Nen Net</title>
<link rel="icon" href="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'
 viewBox='0 0 16 16'><circle cx='8' cy='8' r='6' fill='none' stroke='%230a8f6c'
 stroke-width='3'/></svg>">
<style>
:root { --ground: #fbfaf7; --ink: #1c2226; --soft: #5d666c; --line: #e2dfd6; --card: #fff;
  --accent: #08775a; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #12171a; --ink: #e8ebe9; --soft: #96a1a6; --line: #2a3237; --card: #1a2125;
    --accent: #4fd1a5; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 17px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 40rem; margin: 0 auto; padding: clamp(2rem, 9vh, 6rem) 1.25rem 3rem; }
h1 { margin: 0; font-size: clamp(2.4rem, 9vw, 3.6rem); line-height: 1.1; letter-spacing: -.03em; }
h1 span { color: var(--accent); }
p { color: var(--soft); margin: .8rem 0 2rem; }
ul { list-style: none; margin: 0; padding: 0; display: grid; gap: .6rem; }
a { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem;
  padding: .8rem 1rem; border: 1px solid var(--line); border-radius: .7rem;
  background: var(--card); color: inherit;
  text-decoration: none; }
a:hover, a:focus-visible, a[aria-current] { border-color: var(--accent); outline: none; }
a:focus-visible { box-shadow: 0 0 0 2px var(--accent); }
code, pre { font: .92em/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
code { color: var(--accent); }
small { color: var(--soft); font-size: .85em; }
pre { margin: 1.2rem 0 0; padding: 1rem; min-height: 7.2em; border: 1px dashed var(--line);
  border-radius: .7rem; white-space: pre-wrap; overflow-wrap: anywhere; color: var(--soft); }
footer { margin-top: 1.5rem; color: var(--soft); font-size: .85em; }
</style>
</head>
<body>
<main>
<h1>Nen <span>Net</span></h1>
<p>This page came from a C++20 server on io_uring that has owned every byte of its memory since it
was compiled.</p>
<ul>
<li><a href="/plaintext"><code>GET /plaintext</code><small>thirteen bytes of text</small></a></li>
<li><a href="/json"><code>GET /json</code><small>the same as JSON</small></a></li>
<li><a href="/users/42"><code>GET /users/42</code><small>a number from the path</small></a></li>
<li><a href="/users/abc"><code>GET /users/abc</code><small>not a number: 404</small></a></li>
<li><a href="/_nen" class="elsewhere"><code>GET /_nen</code><small>what the server does now: the
 dashboard</small></a></li>
</ul>
<pre id="answer" role="status" aria-live="polite">Choose a route to see its answer here.</pre>
<footer>Stop the server with Ctrl-C: it finishes what it has begun.</footer>
</main>
<script>
const answer = document.getElementById("answer");
for (const link of document.querySelectorAll("a:not(.elsewhere)")) {
  link.addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    document.querySelector("a[aria-current]")?.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
    const begin = performance.now();
    try {
      const response = await fetch(link.href, { cache: "no-store" });
      const body = await response.text();
      const took = (performance.now() - begin).toFixed(1);
      answer.textContent = `${response.status} ${response.statusText} · ${took} ms\n` +
        `${response.headers.get("content-type")}\n\n${body}`;
    } catch {
      answer.textContent = "No answer: has the server stopped?";
    }
  });
}
</script>
</body>
</html>
)html";

}  // namespace demo
