// Middleware that is not called but looked at: what it says holds for every answer of the routes
// that it stands around, also for those that no middleware sees. http, L1
#pragma once

#include <cstddef>
#include <cstdint>
#include <nen/http/method.hpp>
#include <nen/http/request.hpp>
#include <nen/http/response.hpp>
#include <type_traits>

namespace nen::detail {

/// A method_set as a template argument, which has to be a structural type.
struct method_mask {
  std::uint16_t bits = 0;

  constexpr method_mask() = default;
  constexpr method_mask(method_set set) noexcept {
    for (std::uint8_t i = 0; i < method_count; ++i) {
      if (set.contains(static_cast<method>(i))) bits = static_cast<std::uint16_t>(bits | 1U << i);
    }
  }
  constexpr method_mask(method m) noexcept
      : bits(static_cast<std::uint16_t>(1U << static_cast<unsigned>(m))) {}

  [[nodiscard]] constexpr method_set set() const noexcept {
    method_set result;
    for (std::uint8_t i = 0; i < method_count; ++i) {
      if ((bits >> i & 1U) != 0) result.insert(static_cast<method>(i));
    }
    return result;
  }
};

/// What is in a set and in the bits of another.
constexpr method_mask both(method_mask set, std::uint16_t bits) noexcept {
  set.bits &= bits;
  return set;
}

template <auto... Middleware>
struct middleware_list {
  static constexpr std::size_t size = sizeof...(Middleware);
};

inline constexpr std::uint64_t any_body = ~std::uint64_t{0};

/// What a rule may have, each instead of a call operator:
///   decorate(const request&, response&) const
///       adds fields to an answer whose head is about to be completed, whoever wrote it
///   preflight(const request&, response&, method asked, method_set allowed) const
///       adds fields to the answer to a CORS preflight, which the router makes
///   body_bytes_max   of a request; a longer one is 413, as soon as that is known
///   methods          a method_mask; routes have no others
///   kind             where rules of one kind stand around each other, only the innermost holds
template <class M>
concept has_decorate = requires(const M& m, const request& req, response& res) {
  m.decorate(req, res);
};
template <class M>
concept has_preflight = requires(const M& m, const request& req, response& res) {
  m.preflight(req, res, method::get, method_set{});
};
template <class M>
concept has_body_limit = requires {
  M::body_bytes_max;
};
template <class M>
concept has_methods = requires {
  M::methods;
};
template <class M>
concept is_rule = has_decorate<M> || has_preflight<M> || has_body_limit<M> || has_methods<M>;

/// Numbers for rule::kind; zero is a kind that others of its own don't replace.
enum class rule_kind : std::uint8_t { others, cors, security_headers, body_limit };

template <class M>
constexpr rule_kind kind_of_rule() noexcept {
  if constexpr (requires { M::kind; }) return M::kind;
  return rule_kind::others;
}

/// True when one of the inner rules holds instead of it.
template <class M, auto... Inner>
inline constexpr bool is_replaced =
    kind_of_rule<M>() != rule_kind::others &&
    ((kind_of_rule<std::remove_const_t<decltype(Inner)>>() == kind_of_rule<M>()) || ...);

/// What the rules in a list of middleware, outermost first, say together.
template <class Middleware>
struct rules_of;

template <>
struct rules_of<middleware_list<>> {
  static constexpr bool decorates = false;
  static constexpr bool has_preflight = false;
  static constexpr std::uint64_t body_bytes_max = any_body;
  static constexpr std::uint16_t method_bits = 0xffff;

  static void decorate(const request&, response&) {}
  static bool preflight(const request&, response&, method, method_set) { return false; }
};

template <auto Outer, auto... Inner>
struct rules_of<middleware_list<Outer, Inner...>> {
 private:
  using type = std::remove_const_t<decltype(Outer)>;
  using inner = rules_of<middleware_list<Inner...>>;
  static constexpr bool holds = !is_replaced<type, Inner...>;

 public:
  static constexpr bool decorates = (holds && has_decorate<type>) || inner::decorates;
  static constexpr bool has_preflight =
      (holds && detail::has_preflight<type>) || inner::has_preflight;
  static constexpr std::uint64_t body_bytes_max = [] {
    if constexpr (holds && has_body_limit<type>) return std::uint64_t{type::body_bytes_max};
    return inner::body_bytes_max;
  }();
  static constexpr std::uint16_t method_bits = [] {
    if constexpr (has_methods<type>)
      return static_cast<std::uint16_t>(type::methods.bits & inner::method_bits);
    return inner::method_bits;
  }();

  /// The innermost first: what it adds, others leave as it is.
  static void decorate(const request& req, response& res) {
    inner::decorate(req, res);
    if constexpr (holds && has_decorate<type>) Outer.decorate(req, res);
  }
  /// @returns  false when there is no rule for it
  static bool preflight(const request& req, response& res, method asked, method_set allowed) {
    if constexpr (holds && detail::has_preflight<type>) {
      Outer.preflight(req, res, asked, allowed);
      return true;
    } else {
      return inner::preflight(req, res, asked, allowed);
    }
  }
};

/// The same for look-ups at run time, route by route.
struct route_rules {
  void (*decorate)(const request&, response&);
  bool (*preflight)(const request&, response&, method, method_set);
  std::uint64_t body_bytes_max;
};

template <class Rules>
inline constexpr route_rules rules_table_entry = {&Rules::decorate, &Rules::preflight,
                                                  Rules::body_bytes_max};

}  // namespace nen::detail
