// What both translation units of the consumer share.
#pragma once

#include <cstddef>
#include <nen/nen.hpp>

nen::reply hello(const nen::request& req, nen::response& res);

using routes = nen::router<nen::get<"/", hello>>;
using server_type = nen::server<routes>;

/// The size of the server as the second translation unit sees it.
std::size_t size_seen_by_second();
