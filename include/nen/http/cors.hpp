// CORS (WHATWG Fetch §3.2): which pages from elsewhere a browser lets read this server's answers.
// Not part of nen.hpp. http, L1
#pragma once

#include <cstdint>
#include <nen/core/ascii.hpp>
#include <nen/core/bounded_text.hpp>
#include <nen/http/method.hpp>
#include <nen/http/request.hpp>
#include <nen/http/response.hpp>
#include <nen/http/router.hpp>
#include <string_view>

namespace nen {

/// Who may, and what.
struct cors_options {
  /// "*": everybody; or origins with spaces between them, as browsers send them:
  /// "https://app.example http://localhost:5173". "https://*.example.com" is every host below it.
  bounded_text<512> origins = "*";
  /// Of those that the path has; by default all of these.
  detail::method_mask methods = {};
  /// Fields that requests may have beyond the harmless ones: "X-Token, Content-Type"; "*": any.
  bounded_text<256> headers = "Content-Type, Authorization";
  /// Fields of answers that scripts may read beyond the harmless ones: "ETag, X-Total".
  bounded_text<256> exposed = "";
  /// Whether cookies and the like are sent with requests, and answers to those may be read.
  bool credentials = false;
  /// For which a browser need not ask again.
  std::uint32_t max_age_seconds = 600;
};

namespace detail {

/// Calls f with each part of a text, without the space around it. @returns  false when one f did
template <class F>
constexpr bool for_each_part(std::string_view text, char separator, F f) {
  while (true) {
    std::size_t end = 0;
    while (end < text.size() && text[end] != separator) ++end;
    if (!f(trim_ows(text.substr(0, end)))) return false;
    if (end == text.size()) return true;
    text.remove_prefix(end + 1);
  }
}

/// A host's name or address, and its port, in small letters.
constexpr bool is_authority(std::string_view text) noexcept {
  for (const char c : text) {
    const bool is_fine = is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '.' ||
                         c == ':' || c == '[' || c == ']';
    if (!is_fine) return false;
  }
  return !text.empty();
}

/// Where the authority of an origin begins; 0: it is none.
constexpr std::size_t authority_of(std::string_view origin) noexcept {
  for (std::size_t i = 1; i + 3 < origin.size(); ++i) {
    if (origin[i] == ':') return origin[i + 1] == '/' && origin[i + 2] == '/' ? i + 3 : 0;
    if (origin[i] < 'a' || origin[i] > 'z') return 0;
  }
  return 0;
}

/// An origin as browsers serialise it, or one with "*." before the host's name.
constexpr bool is_origin_pattern(std::string_view text) noexcept {
  std::size_t begin = authority_of(text);
  if (begin == 0) return false;
  if (text.substr(begin, 2) == "*.") begin += 2;
  return is_authority(text.substr(begin)) && text[begin] != '.';
}

/// Whether an origin that a browser sent is one of those that the pattern stands for.
constexpr bool matches_origin(std::string_view pattern, std::string_view origin) noexcept {
  const std::size_t begin = authority_of(pattern);
  if (pattern.substr(begin, 2) != "*.") return origin == pattern;
  const std::string_view rest = pattern.substr(begin + 1);  // ".example.com"
  if (origin.size() <= begin + rest.size() || !origin.starts_with(pattern.substr(0, begin)) ||
      !origin.ends_with(rest))
    return false;
  const auto labels = origin.substr(begin, origin.size() - begin - rest.size());
  for (const char c : labels) {
    if (!is_digit(c) && !(c >= 'a' && c <= 'z') && c != '-' && c != '.') return false;
  }
  return labels.front() != '.';
}

/// "X-Token, ETag": names of fields.
constexpr bool is_field_list(std::string_view text) noexcept {
  return text.empty() ||
         for_each_part(text, ',', [](std::string_view name) { return is_token(name); });
}

template <cors_options Options>
struct cors_rule {
  static constexpr rule_kind kind = rule_kind::cors;
  static constexpr std::string_view origins = Options.origins.view();
  static constexpr bool for_all = origins == "*";
  static constexpr bool any_header = Options.headers.view() == "*";

  static_assert(!(for_all && Options.credentials),
                "nen::cors cannot give everybody answers to requests with credentials: name the "
                "origins, or leave credentials out");
  static_assert(for_all || for_each_part(origins, ' ', is_origin_pattern),
                "an origin in nen::cors is written as browsers send it: scheme://host or "
                "scheme://host:port in small letters, one space between two, nothing behind them");
  static_assert((any_header || is_field_list(Options.headers.view())) &&
                    is_field_list(Options.exposed.view()),
                "headers and exposed in nen::cors are names of fields with commas between them, "
                "and headers may be \"*\"");
  static_assert(!(Options.credentials && Options.exposed.view() == "*"),
                "browsers take \"*\" in exposed for a name where requests have credentials: name "
                "the fields");

  /// To every answer but that to a preflight.
  void decorate(const request& req, response& res) const {
    if (is_preflight(req) || res.has_field("Access-Control-Allow-Origin")) return;
    if (!allow(req, res)) return;
    if constexpr (!Options.exposed.empty())
      res.field("Access-Control-Expose-Headers", Options.exposed.view());
  }

  void preflight(const request& req, response& res, method asked, method_set allowed) const {
    if constexpr (Options.methods.bits != 0) allowed = Options.methods.set();
    if (!allow(req, res) || !allowed.contains(asked)) return;
    res.field("Access-Control-Allow-Methods", allow_text(allowed).view());
    if constexpr (any_header) {
      const auto wanted = req.field("Access-Control-Request-Headers");
      if (wanted && is_field_list(*wanted)) res.field("Access-Control-Allow-Headers", *wanted);
    } else if constexpr (!Options.headers.empty()) {
      res.field("Access-Control-Allow-Headers", Options.headers.view());
    }
    char digits[decimal_digits_max];
    res.field("Access-Control-Max-Age",
              {digits,
               static_cast<std::size_t>(write_decimal(digits, Options.max_age_seconds) - digits)});
  }

 private:
  static bool is_preflight(const request& req) noexcept {
    return req.method() == method::options && req.field("Access-Control-Request-Method") &&
           req.field("Origin");
  }

  /// @returns  false when the page may not read the answer
  static bool allow(const request& req, response& res) noexcept {
    if constexpr (for_all) {
      res.field("Access-Control-Allow-Origin", "*");
      return true;
    } else {
      res.field("Vary", "Origin");  // also where it is not allowed, for caches
      const auto origin = req.field("Origin");
      if (!origin || req.fields().count("Origin") != 1) return false;
      const bool is_strange = for_each_part(origins, ' ', [&](std::string_view pattern) {
        return !matches_origin(pattern, *origin);
      });
      if (is_strange) return false;
      res.field("Access-Control-Allow-Origin", *origin);
      if constexpr (Options.credentials) res.field("Access-Control-Allow-Credentials", "true");
      return true;
    }
  }
};

}  // namespace detail

/// Pages from these origins may send requests to the routes of the router or group that it stands
/// in, and read their answers, errors included. Preflights are answered before any middleware is
/// asked. Of several around a route the innermost holds.
/// @code  nen::group<"/api", nen::cors<nen::cors_options{.origins = "https://app.example"}>, …>
/// @endcode
template <cors_options Options = cors_options{}>
using cors = use<detail::cors_rule<Options>{}>;

}  // namespace nen
