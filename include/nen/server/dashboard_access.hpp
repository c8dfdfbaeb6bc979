// server, L3: who may see the dashboard: whoever has the token, in a field, in the query, or in the
// cookie that it is exchanged for.
#pragma once

#include <nen/core/constant_time.hpp>
#include <nen/core/digest.hpp>
#include <nen/http/authentication.hpp>
#include <nen/http/cookie.hpp>
#include <nen/http/handler.hpp>
#include <nen/http/query.hpp>
#include <nen/http/request.hpp>
#include <nen/http/response.hpp>
#include <nen/server/dashboard_page.hpp>

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace nen::detail {

inline constexpr std::string_view dashboard_cookie = "nen_dashboard";
/// Of a token; no longer one lets anybody in.
inline constexpr std::size_t dashboard_token_max = 256;

/// An empty token is one that was forgotten: it is nobody's.
inline bool is_dashboard_token(std::string_view claim, std::string_view token) noexcept {
  return equal_in_constant_time(claim, token) && !token.empty() &&
         token.size() <= dashboard_token_max;
}

/// Authorization: Bearer, RFC 6750 §2.1. For programs.
inline bool has_token_field(const request& req, std::string_view token) noexcept {
  std::string_view claim;
  return find_credentials(req, "Bearer", claim) == credentials::there &&
         is_dashboard_token(claim, token);
}

/// What the cookie holds is the token in base64, since not every character may be in a cookie.
inline bool has_token_cookie(const request& req, std::string_view token) noexcept {
  for (const cookie_pair each : cookies_of(req)) {
    if (each.name != dashboard_cookie) continue;
    std::array<char, dashboard_token_max> room;
    const auto size = read_base64(each.value, room);
    if (size && is_dashboard_token({room.data(), *size}, token)) return true;
  }
  return false;
}

/// token=… in a query or in the form that the page asks for it with.
inline bool has_token(const query_pairs& pairs, std::string_view token) noexcept {
  const auto found = pairs.find("token");
  if (!found) return false;
  std::array<char, dashboard_token_max> room;
  const percent_result value = found->value(room);
  return value.status == percent_status::ok && is_dashboard_token(value.text, token);
}

/// Gives who knows the token a cookie for it and sends him to the page, so that the token stays in
/// no address. Other sites' pages cannot open a WebSocket with a cookie that is lax.
inline reply let_in(const request& req, response& res, std::string_view token) noexcept {
  std::array<char, base64_size(dashboard_token_max)> text;
  const char* const end = write_base64(text.data(), token);
  set_cookie(res, {.name = dashboard_cookie,
                   .value = {text.data(), static_cast<std::size_t>(end - text.data())},
                   .path = req.path(),
                   .http_only = true,
                   .same_site = same_site::lax});
  res.field("Cache-Control", "no-store").field("Referrer-Policy", "no-referrer");
  return res.redirect(req.path(), status::see_other);
}

inline reply ask_for_token(response& res) noexcept {
  res.set_status(status::unauthorized);
  res.field("WWW-Authenticate", "Bearer realm=\"dashboard\"").field("Cache-Control", "no-store");
  return send_dashboard_page(res, {dashboard_door.data(), dashboard_door.size()},
                             dashboard_door_policy);
}

/// Middleware: nobody gets past it who does not have the token.
template <auto Token, class States>
struct dashboard_guard;
template <auto Token, class... States>
struct dashboard_guard<Token, type_list<States...>> {
  reply operator()(const request& req, response& res, const next& go_on, States... states) const {
    const std::string_view token = Token(static_cast<States&&>(states)...);
    if (has_token_field(req, token) || has_token_cookie(req, token)) return go_on();
    if (!has_token(query_of(req), token)) return ask_for_token(res);
    return req.field("Upgrade") ? go_on() : let_in(req, res, token);
  }
};

/// The handler of the form.
template <auto Token, class States>
struct dashboard_login;
template <auto Token, class... States>
struct dashboard_login<Token, type_list<States...>> {
  reply operator()(const request& req, response& res, States... states) const {
    const std::string_view token = Token(static_cast<States&&>(states)...);
    return has_token(query_pairs(req.body()), token) ? let_in(req, res, token) : ask_for_token(res);
  }
};

/// The states that the token's function takes.
template <class F>
struct dashboard_token_states {
  static constexpr bool is_right = false;
  using type = type_list<>;
};
template <has_signature F>
requires std::is_same_v<typename signature<F>::result, std::string_view>
struct dashboard_token_states<F> {
  static constexpr bool is_right = true;
  using type = typename signature<F>::parameters;
};

}  // namespace nen::detail
