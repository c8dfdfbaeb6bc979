// expect: non-void function
#include <nen/nen.hpp>

nen::reply sometimes(std::uint32_t id, nen::response& res) {
  if (id != 0) return res.text("found");
}

using routes = nen::router<nen::get<"/:id", sometimes>>;
nen::server<routes> server;
