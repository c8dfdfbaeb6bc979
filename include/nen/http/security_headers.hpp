// Fields that tell browsers to be strict with what this server answers. Not part of nen.hpp.
// http, L1
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <nen/core/ascii.hpp>
#include <nen/core/bounded_text.hpp>
#include <nen/http/request.hpp>
#include <nen/http/response.hpp>
#include <nen/http/router.hpp>
#include <string_view>

namespace nen {

/// A field that is "" or 0 is left out.
struct security_options {
  bounded_text<1024> content_security_policy =
      "default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'; "
      "object-src 'none'";
  bool nosniff = true;  ///< X-Content-Type-Options: a script is what its media type says
  bounded_text<32> frame_options = "SAMEORIGIN";  ///< for browsers without frame-ancestors
  bounded_text<64> referrer_policy = "strict-origin-when-cross-origin";
  bounded_text<32> cross_origin_opener_policy = "same-origin";
  bounded_text<32> cross_origin_resource_policy = "same-origin";
  bounded_text<512> permissions_policy = "";
  /// Strict-Transport-Security (RFC 6797): only where clients come by TLS, through a proxy that
  /// ends it. For this time nobody reaches the host without.
  std::uint32_t hsts_max_age_seconds = 0;
  bool hsts_subdomains = false;
  bool hsts_preload = false;  ///< for the browsers' list; it is hard to be taken off that again
};

namespace detail {

/// A field line of them: which part of the text is its name, and where it ends.
struct security_line {
  std::uint16_t begin, name_end, end;
};

template <security_options Options>
struct security_rule {
  static constexpr rule_kind kind = rule_kind::security_headers;

  static_assert(!Options.hsts_preload ||
                    (Options.hsts_subdomains && Options.hsts_max_age_seconds >= 31'536'000),
                "browsers take a host into their list only with hsts_subdomains and a "
                "hsts_max_age_seconds of 31'536'000 (a year) or more");

  /// All of them are rendered while the program is compiled.
  struct rendering {
    std::array<char, 2560> text{};
    std::array<security_line, 8> lines{};
    std::size_t size = 0;
    std::size_t count = 0;
    bool is_fine = true;

    constexpr void put(std::string_view part) {
      for (const char c : part) text[size++] = c;
    }
    constexpr void add(std::string_view name, std::string_view value, std::string_view more = {}) {
      if (value.empty()) return;
      const std::size_t begin = size;
      put(name);
      put(": ");
      put(value);
      put(more);
      put("\r\n");
      for (const char c : value) is_fine &= c >= ' ' && c < 0x7f;
      lines[count++] = {static_cast<std::uint16_t>(begin),
                        static_cast<std::uint16_t>(begin + name.size()),
                        static_cast<std::uint16_t>(size)};
    }
    constexpr rendering() {
      add("Content-Security-Policy", Options.content_security_policy.view());
      add("X-Content-Type-Options", Options.nosniff ? "nosniff" : "");
      add("X-Frame-Options", Options.frame_options.view());
      add("Referrer-Policy", Options.referrer_policy.view());
      add("Cross-Origin-Opener-Policy", Options.cross_origin_opener_policy.view());
      add("Cross-Origin-Resource-Policy", Options.cross_origin_resource_policy.view());
      add("Permissions-Policy", Options.permissions_policy.view());
      if (Options.hsts_max_age_seconds == 0) return;
      std::array<char, 8 + decimal_digits_max> age{'m', 'a', 'x', '-', 'a', 'g', 'e', '='};
      const char* const end = write_decimal(age.data() + 8, Options.hsts_max_age_seconds);
      const std::string_view more = Options.hsts_preload      ? "; includeSubDomains; preload"
                                    : Options.hsts_subdomains ? "; includeSubDomains"
                                                              : "";
      add("Strict-Transport-Security", {age.data(), static_cast<std::size_t>(end - age.data())},
          more);
    }
    constexpr std::string_view part(std::size_t begin, std::size_t end) const {
      return {text.data() + begin, end - begin};
    }
  };
  static constexpr rendering rendered{};
  static_assert(rendered.is_fine,
                "the texts in nen::security_headers are values of fields: printable ASCII");

  void decorate(const request&, response& res) const {
    if (response_access::is_untouched(res))
      return response_access::add_lines(res, rendered.part(0, rendered.size));
    for (std::size_t i = 0; i < rendered.count; ++i) {
      const security_line& l = rendered.lines[i];
      if (!res.has_field(rendered.part(l.begin, l.name_end)))
        response_access::add_lines(res, rendered.part(l.begin, l.end));
    }
  }
};

}  // namespace detail

/// Adds these fields to every answer of the routes of the router or group that it stands in, errors
/// and answers that come later included. Where it stands in the router itself, the answers that
/// belong to no route have them, too. A field that a handler sets itself is left as it is: a page
/// may have a policy of its own. Of several around a route the innermost holds.
template <security_options Options = security_options{}>
using security_headers = use<detail::security_rule<Options>{}>;

}  // namespace nen
