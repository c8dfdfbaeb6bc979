// A handler that asks other servers, on the simulated ring: the test is both its client and the
// servers that it asks.
#pragma once

#include <nen/nen.hpp>
#include <nen/testing/simulated_server.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.hpp"

namespace nen::test::asking {

/// What the handler does; its answer's body tells what came of it.
using job = std::function<task<std::string>(context&)>;
inline job current_job;

inline task<reply> run_job(context& ctx, response& res) {
  const std::string told = co_await current_job(ctx);
  co_return res.text(told);
}

/// An answer in one line: "200 body", or what is wrong.
inline std::string describe(const http::answer& got) {
  if (!got.ok()) return std::string(to_string(got.error()));
  return std::to_string(got.code()) + " " + std::string(got.body());
}
inline std::string describe(http::fetch_error error) { return std::string(to_string(error)); }

using routes = router<nen::get<"/", run_job>>;
inline constexpr std::uint16_t port = 99;
inline constexpr std::string_view url = "http://127.0.0.1:99/";
inline constexpr std::string_view ask = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

template <config Config = config{}>
struct world {
  using server = testing::simulated_server<routes, Config>;

  explicit world(job what, std::uint64_t seed = 1, const testing::faults& which = {},
                 const listen_options& options = {.handler_timeout = std::chrono::minutes(10)},
                 const testing::failure& one = {})
      : s(seed, which, options, one), client(s.connect()) {
    current_job = std::move(what);
    listen(port);
  }

  void listen(std::uint16_t where,
              testing::connect_answer how = testing::connect_answer::accepted) {
    s.network().listeners[where] = how;
  }
  /// Has the handler run, as far as it comes by itself.
  void start() {
    client.send(ask);
    s.settle();
  }
  /// The next connection that the handler made.
  testing::simulated_client upstream() {
    REQUIRE(!s.network().went_out.empty());
    auto first = s.network().went_out.front();
    s.network().went_out.pop_front();
    return testing::simulated_client(first.connected);
  }
  bool has_upstream() { return !s.network().went_out.empty(); }
  /// What the handler answered since this was asked last: its body; nothing while it waits.
  std::string told() {
    s.settle();
    const std::string all = client.take();
    const auto end = all.find("\r\n\r\n");
    if (end == all.npos) return {};
    if (all.substr(0, 12) != "HTTP/1.1 200") return all.substr(9, 3);
    return all.substr(end + 4);
  }
  /// Connections that are kept for the next one.
  std::uint32_t kept() { return s.inside().session().streams().in_use(); }
  /// True when nothing of any fetch is left.
  bool is_clean() {
    return s.inside().session().frames().in_use() == 0 &&
           s.inside().session().fetches().in_use() == 0;
  }

  server s;
  testing::simulated_client client;
};

}  // namespace nen::test::asking
