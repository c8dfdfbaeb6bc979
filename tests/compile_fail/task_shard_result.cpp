// expect: what another shard's callable returns comes back as bytes, at most 48
#include <nen/nen.hpp>

#include <string>

nen::task<nen::reply> hello(nen::context& ctx, nen::response& res) {
  const auto got = co_await ctx.on_shard(0, [] { return std::string("hello"); });
  co_return res.text(got.value);
}

nen::server<nen::router<nen::get<"/", hello>>> server;
