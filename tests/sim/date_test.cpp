// Every answer says when it was made (RFC 9110 §6.6.1), however long its server has been running.
#include <nen/http/date.hpp>
#include <nen/testing/simulated_server.hpp>

#include <string>
#include <string_view>

#include "sim/app.hpp"
#include "support/catch.hpp"

namespace {

using namespace nen::test::sim;

constexpr nen::config usual = {.connections = 8, .receive_buffers = 8, .send_slots = 24};
using server = nen::testing::simulated_server<routes, usual, app>;

std::string date_of(std::string_view answer) {
  constexpr std::string_view name = "\r\nDate: ";
  const auto at = answer.find(name);
  if (at == answer.npos) return "none";
  return std::string(answer.substr(at + name.size(), nen::imf_fixdate_size));
}

std::string now(server& s) {
  char text[nen::imf_fixdate_size];
  nen::write_imf_fixdate(text, s.inside().io().unix_seconds());
  return {text, sizeof text};
}

constexpr std::string_view get = "GET /n/1 HTTP/1.1\r\nHost: h\r\n\r\n";

}  // namespace

TEST_CASE("the Date of an answer is the second in which it was made", "[sim]") {
  server s;
  auto kept = s.connect();
  std::string before;
  for (const std::uint32_t passes_ms : {0u, 1000u, 1000u, 57'000u, 3'600'000u, 86'400'000u}) {
    s.pass(passes_ms);
    if (passes_ms > 50'000) kept = s.connect();  // idle for too long
    kept.send(get);
    s.settle();
    const std::string date = date_of(kept.take());
    CHECK(date == now(s));
    CHECK(date != before);
    before = date;
    CHECK(date_of(s.answer_to("nonsense\r\n\r\n")) == now(s));
  }
}

TEST_CASE("the Date of an answer that comes later is not that of its request", "[sim]") {
  server s;
  const std::string asked = now(s);
  SECTION("a callback's") {
    auto c = s.connect();
    c.send("GET /slow/3000 HTTP/1.1\r\nHost: h\r\n\r\n");
    s.pass(3000);
    CHECK(date_of(c.received()) == now(s));
    CHECK(c.take().ends_with("{\"ms\":3000}"));
  }
  SECTION("that its time is up") {
    auto c = s.connect();
    c.send("GET /n/1 HTTP/1.1\r\nHo");
    s.pass(10'000);
    CHECK(date_of(c.received()) == now(s));
    CHECK(c.take().starts_with("HTTP/1.1 408 "));
  }
  CHECK(asked != now(s));
}
