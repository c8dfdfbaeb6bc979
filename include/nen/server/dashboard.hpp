// server, L3: nen::dashboard<"/_nen">: a page that shows the server at work, as it works. Not part
// of nen.hpp.
#pragma once

#include <nen/core/ascii.hpp>
#include <nen/core/fixed_string.hpp>
#include <nen/http/routes.hpp>
#include <nen/server/dashboard_access.hpp>
#include <nen/server/dashboard_page.hpp>
#include <nen/server/dashboard_rows.hpp>
#include <nen/server/dashboard_snapshot.hpp>
#include <nen/server/server_metrics.hpp>
#include <nen/server/server_status.hpp>
#include <nen/server/web_session.hpp>
#include <nen/server/websocket.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace nen {

namespace detail {

/// Shows the page. What the server measures is measured because the page's WebSocket asks for it.
inline reply show_dashboard(response& res) noexcept {
  res.field("Cache-Control", "no-cache");
  return send_dashboard_page(res, {dashboard_text.data(), dashboard_text.size()}, dashboard_policy);
}

/// The page's WebSocket. It asks: "n" for names, "s" for all totals, "h 3 7" for the histograms of
/// rows 3 and 7 of its table. Only what it asks for is sent, so that it is never behind.
class dashboard_session {
 public:
  static constexpr ws::options options = {.message_bytes_max = 128};

  /// Pages of other sites are not told what this server does (RFC 6455 §10.2). A proxy in front
  /// may speak TLS.
  static ws::decision on_upgrade(const request& req, response& res) {
    const auto origin = req.field("Origin");
    if (origin && !ws::same_origin(*origin, req.host()) &&
        !ws::same_origin(*origin, req.host(), true))
      return res.status(status::forbidden);
    return ws::decision::accept();
  }

  void on_open(ws::peer&, const server_metrics& all, const server_status& status) {
    all_ = &all;
    status_ = &status;
  }

  void on_message(ws::peer& me, const ws::message& m) {
    std::string_view asked = m.bytes;
    if (asked == "n") {
      wants_names_ = true;
    } else if (asked == "s") {
      wants_totals_ = true;
    } else if (!asked.starts_with("h ") || !take_rows(asked.substr(2))) {
      return me.close(ws::close_code::policy_violation, "n, s, or h and some numbers");
    }
    answer(me);
  }

  void on_drain(ws::peer& me) { answer(me); }

 private:
  static constexpr std::size_t rows_at_once = 16;

  bool take_rows(std::string_view numbers) noexcept {
    row_count_ = 0;
    while (!numbers.empty()) {
      const std::string_view one = numbers.substr(0, numbers.find(' '));
      numbers.remove_prefix(one.size() == numbers.size() ? one.size() : one.size() + 1);
      const auto row = parse_decimal<std::uint32_t>(one);
      if (!row || row_count_ == rows_at_once) return false;
      rows_[row_count_++] = *row;
    }
    return true;
  }

  /// Answers what was asked, as far as there is room, and goes on from there in on_drain.
  void answer(ws::peer& me) {
    if (wants_names_) {
      if (!say(me, [](const dashboard_snapshot& all) { all.names(); })) return;
      wants_names_ = false;
    }
    if (wants_totals_) {
      if (!say(me, [this](const dashboard_snapshot& all) { all.totals(*status_); })) return;
      wants_totals_ = false;
    }
    for (; row_count_ != 0; --row_count_) {
      const std::uint32_t row = rows_[row_count_ - 1];
      if (!say(me, [row](const dashboard_snapshot& all) { all.histogram_of(row); })) return;
    }
  }

  /// @returns  whether all of it was sent
  template <class F>
  bool say(ws::peer& me, F f) {
    while (true) {
      dashboard_rows rows(me, bytes_max_, place_);
      f(dashboard_snapshot(*all_, rows));
      switch (rows.result()) {
        case ws::send_result::sent:
          place_ = {};
          return true;
        case ws::send_result::too_long:
          // Messages of this server are shorter than most servers'.
          if (bytes_max_ / 2 < dashboard_rows::bytes_at_least) {
            me.close(ws::close_code::internal_server_error,
                     "config::response_bytes_max is too small for the dashboard");
            return false;
          }
          bytes_max_ /= 2;
          continue;
        case ws::send_result::full:
        case ws::send_result::closed:
        case ws::send_result::dropped:
          return false;
      }
    }
  }

  const server_metrics* all_ = nullptr;
  const server_status* status_ = nullptr;
  std::size_t bytes_max_ = dashboard_rows::bytes_at_first;
  dashboard_place place_{};  // in the answer that could not be sent whole
  std::array<std::uint32_t, rows_at_once> rows_{};
  std::size_t row_count_ = 0;
  bool wants_names_ = false;
  bool wants_totals_ = false;
};

struct no_dashboard_token {};

template <fixed_string Path, auto Token>
struct dashboard_routes {
  using token = dashboard_token_states<std::remove_const_t<decltype(Token)>>;
  static_assert(token::is_right,
                "the token of nen::dashboard<path, token> is a function that returns it: "
                "std::string_view token(const State&), which takes what states it needs");
  using states = typename token::type;
  using type = group<Path, post<"", dashboard_login<Token, states>{}>,
                     group<"", use<dashboard_guard<Token, states>{}>, get<"", show_dashboard>,
                           websocket<"/live", dashboard_session>>>;
};
template <fixed_string Path>
struct dashboard_routes<Path, no_dashboard_token{}> {
  using type = group<Path, get<"", show_dashboard>, websocket<"/live", dashboard_session>>;
};

}  // namespace detail

/// A page at this path that shows the server at work: answers, latencies, routes, pools, shards,
/// and what was refused, all shards together, once a second. It is one document without anything
/// from elsewhere; it asks through a WebSocket at the path's "/live", which only pages of the same
/// site may open. An answer keeps its shard busy for about a tenth of a millisecond, and two
/// microseconds more for each route on each shard that was ever called.
///
/// Whoever can reach the path can see it, unless there is a token. Then the page asks for it, and
/// keeps it in a cookie; programs send `Authorization: Bearer …`; `?token=…` works as well.
/// @tparam Path   without parameters: "/_nen"
/// @tparam Token  a function that returns the token as std::string_view and takes what states it
///                needs: `[](const app& a) -> std::string_view { return a.token; }`. It has at most
///                256 bytes; an empty one is nobody's. What is sent is compared with it in constant
///                time.
/// @code  nen::router<nen::get<"/", hello>, nen::dashboard<"/_nen", token>>  @endcode
template <fixed_string Path, auto Token = detail::no_dashboard_token{}>
using dashboard = typename detail::dashboard_routes<Path, Token>::type;

}  // namespace nen
