// expect: what is called on another shard goes there as bytes, at most 48
#include <nen/nen.hpp>

#include <string>

nen::task<nen::reply> hello(nen::context& ctx, nen::response& res) {
  const std::string name = "a name";
  const auto got = co_await ctx.on_shard(0, [name] { return name.size(); });
  co_return res.text(got ? "hello" : "");
}

nen::server<nen::router<nen::get<"/", hello>>> server;
