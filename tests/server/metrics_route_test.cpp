// The route that shows all metrics: what it shows, in which text, and what becomes of scrapers that
// stall.
#include <nen/metrics/metric_set.hpp>
#include <nen/nen.hpp>
#include <nen/server/metrics_route.hpp>
#include <nen/testing/simulated_server.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/test_server.hpp"

namespace {

using nen::test::ContainsSubstring;

nen::reply hello(nen::response& res) { return res.text("hello"); }
nen::reply user(std::uint32_t, nen::response& res) { return res.status(nen::status::conflict); }
nen::reply odd(nen::response& res) { return res.text("odd"); }

struct orders : nen::counter_metric<"shop_orders_total", "Orders placed."> {};
struct wait : nen::histogram_metric<"shop_wait_seconds", "Time that customers wait."> {};
using shop = nen::metric_set<2, orders, wait>;

/// Calls of the handler on a thread that did not count in a cell of its own.
std::atomic<int> strangers;

nen::reply order(shop& metrics, nen::response& res) {
  if (!nen::detail::this_shard.serves(&metrics)) ++strangers;
  metrics.add<orders>();
  metrics.record<wait>(20'000);
  return res.text("ordered");
}

/// A state that shows something by a function of its own.
struct stock {
  void expose(nen::exposition& to) const {
    if (to.family(nen::metric_kind::gauge, "shop_stock", "Things in stock."))
      for (const char* thing : {"apples", "pears"})
        to.sample({{"thing", thing}}, nen::metric_value::of(7));
  }
};

using routes =
    nen::router<nen::metrics_route<>, nen::get<"/hello", hello>, nen::get<"/users/:id", user>,
                nen::get<"/odd%22%5C", odd>,
                nen::route<nen::methods(nen::method::put, nen::method::patch), "/hello", hello>,
                nen::post<"/orders", order>>;
using room = nen::ws::group<4>;

constexpr nen::listen_options quiet = {.write_timeout = std::chrono::milliseconds(700)};

using simulated = nen::testing::simulated_server<routes, nen::config{}, shop, stock, room>;

std::string get(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

/// The answer to a scrape, as HTTP/1.0: its body ends with the connection.
template <class Server>
std::string scraped(Server& s, std::string_view fields = "") {
  return s.answer_to("GET /metrics HTTP/1.0\r\n" + std::string(fields) + "\r\n");
}
std::string body_of(const std::string& answer) {
  CHECK_THAT(answer, nen::test::StartsWith("HTTP/1.1 200 OK\r\n"));
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

/// Every series with its value; holds each line against the format.
std::map<std::string, std::string> series_of(const std::string& text) {
  std::map<std::string, std::string> all;
  std::set<std::string> families;
  std::string family;
  REQUIRE(text.ends_with('\n'));
  for (std::size_t at = 0; at < text.size();) {
    const std::string line = text.substr(at, text.find('\n', at) - at);
    at += line.size() + 1;
    if (line.starts_with("# TYPE ")) {
      family = line.substr(7, line.rfind(' ') - 7);
      INFO("two families " << family);
      CHECK(families.insert(family).second);
    }
    if (line.starts_with('#')) continue;
    const auto space = line.rfind(' ');
    INFO(line);
    REQUIRE(space != std::string::npos);
    CHECK(line.starts_with(family));
    CHECK(all.emplace(line.substr(0, space), line.substr(space + 1)).second);
  }
  return all;
}
template <class Server>
std::map<std::string, std::string> series_of(Server& s) {
  return series_of(body_of(scraped(s)));
}

}  // namespace

TEST_CASE("every counter of a shard has a row of its own, and rows of one name are together",
          "[metrics]") {
  using nen::detail::counter_rows;
  // Accepted and closed connections, and the reasons, are shown apart.
  constexpr std::size_t apart = 2 + nen::tcp::close_reasons;
  static_assert(sizeof(nen::shard_counters) ==
                (std::size(counter_rows) + apart) * sizeof(nen::counter));
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < std::size(counter_rows); ++i) {
    const auto& row = counter_rows[i];
    INFO(row.name << " " << row.pool << " " << row.kind);
    if (i == 0 || counter_rows[i - 1].name != row.name) {
      CHECK(names.insert(row.name).second);
      CHECK(row.help.ends_with('.'));
    }
    CHECK(row.name.ends_with("_total"));
    for (std::size_t j = 0; j < i; ++j) {
      CHECK(counter_rows[j].which != row.which);
      const bool same = counter_rows[j].name == row.name && counter_rows[j].pool == row.pool &&
                        counter_rows[j].kind == row.kind;
      CHECK(!same);
    }
  }
}

TEST_CASE("answers are shown by route, method and class, connections and bytes besides",
          "[metrics]") {
  simulated s(1, {}, quiet);
  for (int i = 0; i < 3; ++i) s.answer_to(get("/hello"));
  s.answer_to("PATCH /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  s.answer_to(get("/users/12"));
  s.answer_to(get("/odd%22%5C"));
  s.answer_to(get("/nowhere"));
  auto all = series_of(s);
  const auto answers = [&](const std::string& labels) {
    return all["nen_http_responses_total{" + labels + "}"];
  };
  CHECK(answers(R"(route="/hello",method="GET",code="2xx")") == "3");
  CHECK(answers(R"(route="/hello",method="PUT,PATCH",code="2xx")") == "1");
  CHECK(answers(R"(route="/users/:id",method="GET",code="4xx")") == "1");
  CHECK(answers(R"(route="/users/:id",method="GET",code="2xx")") == "0");
  CHECK(answers(R"(route="/odd%22%5C",method="GET",code="2xx")") == "1");
  CHECK(answers(R"(route="none",code="4xx")") == "1");
  CHECK(all[R"(nen_http_response_duration_seconds_count{route="/hello",method="GET"})"] == "3");
  CHECK(
      all[R"(nen_http_response_duration_seconds_bucket{route="/hello",method="GET",le="+Inf"})"] ==
      "3");
  CHECK(all[R"(nen_http_handler_duration_seconds_count{route="/users/:id",method="GET"})"] == "16");
  CHECK(all[R"(nen_connections_accepted_total{shard="0"})"] == "8");
  CHECK(all[R"(nen_connections_open{shard="0"})"] == "1");
  CHECK(all[R"(nen_connections_closed_total{reason="peer_finished"})"] == "7");
  CHECK(all["nen_requests_total"] == "8");
  CHECK(all["nen_received_bytes_total"] == std::to_string(s.counters().bytes_received.value()));
  CHECK(s.counters().bytes_received.value() > 200);
  CHECK(std::stoul(all["nen_sent_bytes_total"]) > 300);
}

TEST_CASE("every pool is shown with its slots, what is taken, and the most that ever was",
          "[metrics]") {
  simulated s(1, {}, quiet);
  auto one = s.connect();
  {
    auto other = s.connect();
    one.send("GET /hel");
    other.send("GET /hel");
    s.settle();
  }
  s.settle();
  auto all = series_of(s);
  const auto pool = [&](const std::string& what, const std::string& name) {
    return all["nen_pool_slots" + what + "{pool=\"" + name + "\",shard=\"0\"}"];
  };
  CHECK(pool("", "head slots") == "64");
  CHECK(pool("_in_use", "head slots") == "1");
  CHECK(pool("_high_water", "head slots") == "2");
  CHECK(pool("", "receive buffers") == "256");
  for (const char* name : {"connections", "send slots", "body slots", "streams"}) {
    INFO(name);
    CHECK(!pool("", name).empty());
    CHECK(!pool("_in_use", name).empty());
    CHECK(!pool("_high_water", name).empty());
  }
  CHECK(pool("_in_use", "streams") == "1");  // this answer
  CHECK(all[R"(nen_pool_exhausted_total{pool="head slots",outcome="evicted"})"] == "0");
  CHECK(all[R"(nen_timeouts_total{kind="head"})"] == "0");
  s.pass(11'000);
  all = series_of(s);
  CHECK(all[R"(nen_timeouts_total{kind="head"})"] == "1");
}

TEST_CASE("the loop, its ring and the process are shown", "[metrics]") {
  simulated s(1, {}, quiet);
  s.answer_to(get("/hello"));
  auto all = series_of(s);
  CHECK(std::stoul(all[R"(nen_ring_waits_total{shard="0"})"]) > 2);
  CHECK(std::stoul(all[R"(nen_ring_submissions_total{shard="0"})"]) > 2);
  CHECK(all[R"(nen_ring_overflows_total{shard="0"})"] == "0");
  CHECK(std::stoul(all[R"(nen_loop_lag_seconds_count{shard="0"})"]) > 2);
  CHECK(std::stoul(all[R"(nen_loop_batch_completions_sum{shard="0"})"]) > 2);
  CHECK(all["nen_shards"] == "1");
  CHECK(std::stod(all["process_cpu_seconds_total"]) > 0);
  CHECK(std::stod(all["process_cpu_seconds_total"]) < 10'000);
  CHECK(std::stoul(all["process_resident_memory_bytes"]) > 1'000'000);
  CHECK(std::stoul(all["process_virtual_memory_bytes"]) >
        std::stoul(all["process_resident_memory_bytes"]));
  CHECK(std::stoi(all["process_open_fds"]) == nen::test::open_descriptors() - 3);  // ., .., itself
  CHECK(std::stoul(all["process_max_fds"]) >= 64);
  CHECK(std::stoul(all["process_threads"]) >= 1);
  const double began = std::stod(all["process_start_time_seconds"]);
  CHECK(began <= static_cast<double>(::time(nullptr)) + 1);
  CHECK(began > static_cast<double>(::time(nullptr)) - 3600);
  CHECK(series_of(s)["process_start_time_seconds"] == all["process_start_time_seconds"]);
  const std::string info = "nen_build_info{version=\"" + std::string(nen::library_version) + "\"";
  CHECK(std::any_of(all.begin(), all.end(),
                    [&](auto& each) { return each.first.starts_with(info); }));
}

TEST_CASE("what states expose is shown: metric sets, functions of their own, groups", "[metrics]") {
  simulated s(1, {}, quiet);
  s.answer_to("POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  auto all = series_of(s);
  CHECK(all["shop_orders_total"] == "1");
  CHECK(all["shop_wait_seconds_count"] == "1");
  CHECK(all["shop_wait_seconds_sum"] == "0.00002");
  CHECK(all["shop_stock{thing=\"apples\"}"] == "7");
  CHECK(all["shop_stock{thing=\"pears\"}"] == "7");
  CHECK(all["nen_websocket_group_members{group=\"0\"}"] == "0");
  CHECK(all["nen_websocket_group_missed_total{group=\"0\"}"] == "0");
}

TEST_CASE("who accepts OpenMetrics gets it, and everybody is told that it depends on that",
          "[metrics]") {
  simulated s(1, {}, quiet);
  const std::string plain = scraped(s);
  CHECK_THAT(plain, ContainsSubstring("\r\nContent-Type: text/plain; version=0.0.4; "
                                      "charset=utf-8\r\n"));
  CHECK_THAT(plain, ContainsSubstring("\r\nVary: Accept\r\n"));
  CHECK_THAT(plain, ContainsSubstring("\r\nCache-Control: no-store\r\n"));
  CHECK(plain.find("# EOF") == std::string::npos);
  const std::string open = scraped(
      s, "Accept: text/plain;q=0.2\r\nAccept: application/openmetrics-text;version=1.0.0\r\n");
  CHECK_THAT(open, ContainsSubstring("\r\nContent-Type: application/openmetrics-text; "
                                     "version=1.0.0; charset=utf-8\r\n"));
  CHECK_THAT(open, nen::test::EndsWith("\n# EOF\n"));
  CHECK_THAT(open, ContainsSubstring("# TYPE nen_requests counter\nnen_requests_total "));
  const std::string head = s.answer_to("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK_THAT(head, nen::test::EndsWith("\r\n\r\n"));
  CHECK_THAT(head, nen::test::StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("small answers make small pieces of the same series", "[metrics]") {
  constexpr nen::config small = {.send_slot_bytes = 1024, .response_bytes_max = 512};
  const auto names = []<class Server>() {
    Server s(1, {}, quiet);
    std::vector<std::string> all;
    for (const auto& [name, value] : series_of(s)) all.push_back(name);
    return all;
  };
  const auto expected = names.template operator()<simulated>();
  CHECK(expected.size() > 400);
  using frugal = nen::testing::simulated_server<routes, small, shop, stock, room>;
  CHECK(names.template operator()<frugal>() == expected);
}

TEST_CASE("a scraper that stalls is cut off by the write timeout, and holds up nobody",
          "[metrics]") {
  simulated s(1, {}, quiet);
  s.network().window = 2'000;
  auto stalled = s.connect();
  stalled.stop_reading();
  stalled.send(get("/metrics"));
  s.pass(500);
  CHECK(s.inside().session().stream_slots().in_use() == 1);
  auto brisk = s.connect();
  brisk.send(get("/metrics"));
  s.pass(50);
  CHECK_THAT(brisk.take(), nen::test::EndsWith("\r\n0\r\n\r\n"));
  CHECK(s.counters().timeouts_write.value() == 0);
  s.pass(300);
  CHECK(s.counters().timeouts_write.value() == 1);
  CHECK(s.inside().session().stream_slots().in_use() == 0);
  CHECK(s.inside().send_slots().in_use() == 0);
  stalled.start_reading();
  s.settle();
  CHECK(stalled.take().find("\r\n0\r\n\r\n") == std::string::npos);
}

TEST_CASE("shards are added up while they serve, each counting for itself", "[metrics]") {
  static nen::server<routes, nen::config{.shards = 2}, shop, stock, room> server;
  nen::test::running serving(server, {}, 2);
  strangers = 0;
  constexpr int each = 200;
  std::vector<std::thread> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back([&] {
      for (int n = 0; n < each; ++n) {
        auto c = serving.connect();
        c.send("POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        (void)c.read_answer();
      }
    });
  }
  const auto scrape = [&] {
    auto c = serving.connect();
    c.send("GET /metrics HTTP/1.0\r\n\r\n");
    CHECK(c.read_end() == nen::test::stream_end::closed);
    return series_of(body_of(std::string(c.rest())));
  };
  for (int i = 0; i < 20; ++i) CHECK(scrape().size() > 400);
  for (std::thread& client : clients) client.join();
  auto all = scrape();
  CHECK(all["shop_orders_total"] == std::to_string(3 * each));
  CHECK(all["shop_wait_seconds_count"] == std::to_string(3 * each));
  CHECK(all[R"(nen_http_responses_total{route="/orders",method="POST",code="2xx"})"] ==
        std::to_string(3 * each));
  CHECK(strangers == 0);
  CHECK(all["nen_shards"] == "2");
  const auto accepted = [&](const char* shard) {
    return std::stoul(all["nen_connections_accepted_total{shard=\"" + std::string(shard) + "\"}"]);
  };
  CHECK(accepted("0") + accepted("1") >= 3 * each + 21);
  CHECK(!all[R"(nen_pool_slots{pool="connections",shard="1"})"].empty());
}
