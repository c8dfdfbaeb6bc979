// Routes for some clients only, by their address. Not part of nen.hpp. http, L1
#pragma once

#include <nen/core/cidr.hpp>
#include <nen/core/fixed_string.hpp>
#include <nen/http/reply.hpp>
#include <nen/http/request.hpp>
#include <nen/http/router.hpp>
#include <nen/http/status.hpp>

namespace nen {

namespace detail {

template <fixed_string... Prefixes>
reply answer_only(const request& req, next go) {
  if (is_in(cidrs<Prefixes...>, req.client())) return go();
  return go.refuse(status::forbidden);
}

}  // namespace detail

/// The routes of the router or group that it stands in are for clients in these prefixes; others
/// are answered 403, as nen::on_error says it:
///   nen::group<"/admin", nen::only_from<"10.0.0.0/8", "::1">, …>
/// Who the client is, request::client() says; a server that keeps no addresses
/// (config::client_addresses) has nobody's, so that all are refused.
template <fixed_string... Prefixes>
using only_from = use<detail::answer_only<Prefixes...>>;

}  // namespace nen
