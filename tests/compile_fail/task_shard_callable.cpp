// expect: what is called on another shard takes nothing, or the nen::context& there
#include <nen/nen.hpp>

nen::task<nen::reply> hello(nen::context& ctx, nen::response& res) {
  const auto got = co_await ctx.on_shard(0, [](int n) { return n; });
  co_return res.text(got ? "hello" : "");
}

nen::server<nen::router<nen::get<"/", hello>>> server;
