// server, L3: the dashboard's page in one piece, made when the program is compiled, and what it may
// do in a browser: nothing but run its own script and talk to its own server.
#pragma once

#include <nen/http/reply.hpp>
#include <nen/http/response.hpp>
#include <nen/server/dashboard_charts.hpp>
#include <nen/server/dashboard_markup.hpp>
#include <nen/server/dashboard_script.hpp>
#include <nen/server/dashboard_start.hpp>
#include <nen/server/dashboard_style.hpp>
#include <nen/server/dashboard_views.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace nen::detail {

inline constexpr std::string_view dashboard_parts[] = {
    dashboard_head,   dashboard_style, dashboard_body,  dashboard_script,
    dashboard_charts, dashboard_views, dashboard_start, dashboard_end};

/// A document in one piece.
template <const auto& Parts>
inline constexpr auto dashboard_document = [] {
  constexpr std::size_t size = [] {
    std::size_t sum = 0;
    for (const std::string_view part : Parts) sum += part.size();
    return sum;
  }();
  std::array<char, size> all{};
  std::size_t used = 0;
  for (const std::string_view part : Parts) {
    for (const char c : part) all[used++] = c;
  }
  return all;
}();
inline constexpr auto& dashboard_text = dashboard_document<dashboard_parts>;

// The digests are of what stands in the page's style and script, CSP 3 §8.2: a browser runs no
// other. Whoever changes those is told the new ones by tests/clients/dashboard_protocol.py.
inline constexpr std::string_view dashboard_policy =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "img-src data:; connect-src 'self'; "
    "script-src 'sha256-heQ8kvpyop9YOKiCr34M0M/7LJT3djHUOglmYR/WzNA='; "
    "style-src 'sha256-pC+/pDxoYFwV9O5y4lZfEmh3Xs6OV34y4ps1NaoHmNA='";

/// What is shown instead to who has no token.
inline constexpr std::string_view dashboard_form = R"html(
:root { color-scheme: light dark; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center;
  background: light-dark(#f7f6f2, #0f1416); color: light-dark(#1b2226, #e9eeec);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
form { box-sizing: border-box; width: min(360px, 100vw - 32px); padding: 28px; display: grid;
  gap: 14px; border: 1px solid light-dark(#e4e1d9, #263035); border-radius: 16px;
  background: light-dark(#fff, #161d20); }
h1 { margin: 0; font-size: 20px; letter-spacing: -.02em; }
label { display: grid; gap: 6px; font-size: 14px; color: light-dark(#5c676d, #9aa6aa); }
input, button { box-sizing: border-box; width: 100%; height: 42px; font: inherit; padding: 0 14px;
  border-radius: 10px; }
input { border: 1px solid light-dark(#cfcbc0, #3a464c); background: light-dark(#f7f6f2, #0f1416);
  color: inherit; }
button { border: 0; background: light-dark(#08775a, #4fd1a5); color: light-dark(#fff, #0f1416);
  font-weight: 600; cursor: pointer; }
:focus-visible { outline: 2px solid light-dark(#08775a, #4fd1a5); outline-offset: 2px; }
</style>
</head>
<body>
<form method="post">
<h1>Nen Net</h1>
<label>Token<input type="password" name="token" autocomplete="current-password" required autofocus>
</label>
<button>Show the dashboard</button>
</form>
</body>
</html>
)html";
inline constexpr std::string_view dashboard_door_parts[] = {dashboard_head, dashboard_form};
inline constexpr auto& dashboard_door = dashboard_document<dashboard_door_parts>;

inline constexpr std::string_view dashboard_door_policy =
    "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "img-src data:; "
    "style-src 'sha256-E+Zw9Ttpa4NHxyFIFd2DgCAV2hVOLiZBdvy3Ontqs4U='";

inline reply send_dashboard_page(response& res, std::string_view page,
                                 std::string_view policy) noexcept {
  res.field("Content-Security-Policy", policy).field("X-Content-Type-Options", "nosniff");
  res.field("Referrer-Policy", "no-referrer").field("X-Frame-Options", "DENY");
  return res.send_static("text/html; charset=utf-8", page);
}

}  // namespace nen::detail
