// What some routes take less of than others: bodies and methods. Not part of nen.hpp. http, L1
#pragma once

#include <concepts>
#include <cstdint>
#include <nen/http/method.hpp>
#include <nen/http/middleware_rules.hpp>
#include <nen/http/router.hpp>

namespace nen {

namespace detail {

template <std::uint64_t Bytes>
struct body_limit_rule {
  static constexpr rule_kind kind = rule_kind::body_limit;
  static constexpr std::uint64_t body_bytes_max = Bytes;
};

template <method_mask Methods>
struct methods_rule {
  static constexpr method_mask methods = Methods;
};

}  // namespace detail

/// A longer body is answered 413, and the connection closes: before the first byte of it is read
/// where Content-Length says so (also for nen::streamed routes, whose handlers are not called then,
/// and instead of the 100 that a client waits for), with the chunk that goes beyond it otherwise. A
/// body that is gathered has config::body_bytes_max besides. Of several around a route the
/// innermost holds, so that a route may take more than its group.
template <std::uint64_t Bytes>
using body_limit = use<detail::body_limit_rule<Bytes>{}>;

/// The routes of the router or group that it stands in have no other methods: nen::any becomes just
/// these, and the rest is answered 405 with Allow, or 204 for OPTIONS. HEAD comes with GET.
template <std::same_as<method> auto... Method>
using allow_methods = use<detail::methods_rule<methods(Method...)>{}>;

}  // namespace nen
