// A shop that is watched: /metrics shows what the server counts and measures, and the shop's own
// metrics beside it. The other files of this folder are what watches it: Prometheus, its alerts, a
// Grafana dashboard.
//
//   curl -X POST localhost:8080/carts; curl -X POST localhost:8080/orders
//   curl localhost:8080/metrics
#include <nen/metrics/metric_set.hpp>
#include <nen/nen.hpp>
#include <nen/server/metrics_route.hpp>

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string_view>

#include "../common/arguments.hpp"

namespace {

constexpr nen::config sizes{.shards = 2, .websockets = 64};

// ---- The shop's metrics: their names are checked when the program is compiled. ----

struct orders : nen::counter_metric<"shop_orders_total", "Orders placed."> {};
struct open_carts : nen::gauge_metric<"shop_open_carts", "Carts that nobody has paid for."> {};
struct checkout
    : nen::histogram_metric<"shop_checkout_seconds", "Time that it takes to place an order."> {};
using metrics = nen::metric_set<sizes.shards, orders, open_carts, checkout>;

std::uint64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

// ---- The shop. ----

/// Whoever watches /live hears of every order.
using watchers = nen::ws::group<32, nen::ws::group_config{.shards = sizes.shards}>;

struct watcher {
  void on_open(nen::ws::peer& me, watchers& all) { (void)all.join(me); }
  void on_message(nen::ws::peer&, const nen::ws::message&) {}
};

nen::reply fill_cart(metrics& m, nen::response& res) {
  m.add<open_carts>(1);
  return res.set_status(nen::status::created).text("a cart\n");
}

nen::reply place_order(metrics& m, watchers& all, nen::response& res) {
  const std::uint64_t begin = now_ns();
  if (m.value<open_carts>() <= 0) return res.set_status(nen::status::conflict).text("no cart\n");
  m.add<open_carts>(-1);
  m.add<orders>();
  (void)all.broadcast("an order", nen::ws::slow_peer::drop);
  m.record<checkout>(now_ns() - begin);
  return res.set_status(nen::status::created).text("an order\n");
}

nen::reply product(std::uint32_t id, nen::response& res) {
  return id < 100 ? res.json({{"id", id}}) : res.status(nen::status::not_found);
}

using routes = nen::router<nen::metrics_route<"/metrics">,      //
                           nen::get<"/products/:id", product>,  //
                           nen::post<"/carts", fill_cart>,      //
                           nen::post<"/orders", place_order>,   //
                           nen::websocket<"/live", watcher>>;
using server = nen::server<routes, sizes, metrics, watchers>;

}  // namespace

int main(int argc, char** argv) {
  std::string_view host = "127.0.0.1";
  nen::listen_options options{.on_listening = [](std::string_view address) {
    std::fprintf(stderr, "listening on %.*s\n", static_cast<int>(address.size()), address.data());
  }};
  example::read_arguments(argc, argv,
                          {{"--host", "numeric address to listen on (127.0.0.1)", host},
                           {"--port", "0: the kernel chooses (8080)", options.port}});
  options.host = host;
  static ::server shop;
  return shop.run(options).exit_code();
}
