// A gateway: GET / asks two other services at the same time and makes one answer of theirs. One
// that is late or broken is null in it, and costs nobody more than its deadline.
//
//   06_gateway --weather http://10.0.0.1/weather.json --news http://10.0.0.2/news.json
//
// Without arguments it asks itself: it serves samples of both.
#include <nen/nen.hpp>

#include <chrono>
#include <cstdio>
#include <string_view>

#include "../common/arguments.hpp"

namespace {

using namespace std::chrono_literals;

/// Whom it asks.
struct services {
  std::string_view weather = "http://127.0.0.1:8080/sample/weather";
  std::string_view news = "http://127.0.0.1:8080/sample/news";
};

/// What a service said, if it said what it was asked for.
nen::json_value part_of(const nen::http::answer& from) {
  const bool is_json = from.field("Content-Type").value_or("").substr(0, 16) == "application/json";
  if (!from.is_successful() || !is_json) return nullptr;
  return nen::json_value::raw(from.body());
}

nen::task<nen::reply> all(nen::context& ctx, services& known, nen::response& res) {
  const auto [weather, news] =
      co_await nen::when_all(ctx.http().get(known.weather, {.deadline = 500ms}),
                             ctx.http().get(known.news, {.deadline = 500ms}));
  if (!weather.ok() && !news.ok()) {
    res.set_status(nen::status::bad_gateway);
    co_return res.json({{"error", nen::http::to_string(weather.error())}});
  }
  co_return res.json({{"weather", part_of(weather)}, {"news", part_of(news)}});
}

/// The news alone, and what is wrong with them in words of HTTP.
nen::task<nen::reply> news_only(nen::context& ctx, services& known, nen::response& res) {
  const auto news = co_await ctx.http().get(known.news, {.deadline = 2s});
  if (!news.ok()) {
    const bool is_late = news.error() == nen::http::fetch_error::deadline_passed;
    co_return res.status(is_late ? nen::status::gateway_timeout : nen::status::bad_gateway);
  }
  res.set_status(news.status());
  if (const auto type = news.field("Content-Type")) res.field("Content-Type", *type);
  co_return res.bytes(news.body());
}

nen::reply sample_weather(nen::response& res) {
  return res.json({{"place", "Oslo"}, {"celsius", 21.5}});
}
nen::reply sample_news(nen::response& res) { return res.json({{"headline", "It is warm"}}); }

using routes =
    nen::router<nen::get<"/", all>, nen::get<"/news", news_only>,
                nen::get<"/sample/weather", sample_weather>, nen::get<"/sample/news", sample_news>>;
using gateway = nen::server<routes, nen::config{}, services>;
static_assert(sizeof(gateway) <= 20 * nen::MiB, "memory budget");

}  // namespace

int main(int argc, char** argv) {
  static gateway server;
  auto& known = server.state<services>();
  std::string_view host = "127.0.0.1";
  nen::listen_options options{.port = 8080, .on_listening = [](std::string_view address) {
                                std::fprintf(stderr, "listening on %.*s\n",
                                             static_cast<int>(address.size()), address.data());
                              }};
  example::read_arguments(argc, argv,
                          {{"--host", "0.0.0.0: the whole network may come (127.0.0.1)", host},
                           {"--port", "0: the kernel chooses (8080)", options.port},
                           {"--weather", "the weather service's URL", known.weather},
                           {"--news", "the news service's URL", known.news}});
  options.host = host;
  return server.run(options).exit_code();
}
