// A second file that includes all of nen: a function in a header that is not inline shows up here.
#include "consumer.hpp"

nen::reply hello(const nen::request&, nen::response& res) { return res.text("Hello, World!"); }

std::size_t size_seen_by_second() { return sizeof(server_type); }
