// Ids of requests: the same for handlers, in answers and in the log, whatever is answered in the
// middle of what.
#include <set>
#include <string>

#include "sim/log_server.hpp"
#include "support/catch.hpp"

using namespace nen::test::logging;

namespace {

const std::string trace = "0af7651916cd43dd8448eb211c80319c";
const std::string traceparent = "traceparent: 00-" + trace + "-b7ad6b7169203331-01\r\n";

std::string body_of(const std::string& answer) {
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

}  // namespace

TEST_CASE("a request has one id for its handler, its answer and its line", "[sim]") {
  plain_server s(1, {}, logged());
  std::set<std::string> ids;
  for (const auto& lines :
       {std::string(), std::string("X-Request-Id: mine-1\r\n"), traceparent,
        traceparent + "X-Request-Id: mine-2\r\n", std::string("X-Request-Id: not a token\r\n")}) {
    const std::string answer = s.answer_to(get_of("/whoami", lines));
    const std::string id = field_of(answer, "X-Request-Id");
    CHECK(body_of(answer) == id);
    const auto line = tail_of(lines_of(s).back());
    CHECK(line.id == id);
    CHECK(line.trace == field_of(answer, "X-Trace"));
    const bool has_trace = lines.find("traceparent") != std::string::npos;
    CHECK((line.trace == trace) == has_trace);
    CHECK(ids.insert(id).second);
    CHECK(answer.find("X-Request-Id") == answer.rfind("X-Request-Id"));
  }
  CHECK(ids.count("mine-1") == 1);
  CHECK(ids.count("mine-2") == 1);
  CHECK(ids.size() == 5);
}

TEST_CASE("an answer in the middle of another one leaves it its id", "[sim]") {
  plain_server s(1, {}, logged());
  auto first = s.connect();
  first.send(get_of("/parks", "X-Request-Id: first\r\n"));
  s.settle();
  auto second = s.connect();
  second.send(get_of("/wakes", "X-Request-Id: second\r\n"));
  s.settle();
  const std::string a = first.take(), b = second.take();
  CHECK(body_of(a) == "woken");
  CHECK(field_of(a, "X-Request-Id") == "first");
  CHECK(body_of(b) == "and me");
  CHECK(field_of(b, "X-Request-Id") == "second");
  const auto lines = lines_of(s);
  REQUIRE(lines.size() == 2);
  CHECK(tail_of(lines[0]).id == "first");
  CHECK(tail_of(lines[1]).id == "second");
}

TEST_CASE("a coroutine that waited answers with its own id", "[sim]") {
  any_server s(1, {}, logged());
  auto first = s.connect(), second = s.connect();
  first.send(get_of("/later/100", "X-Request-Id: first\r\n"));
  second.send(get_of("/later/50", "X-Request-Id: second\r\n"));
  s.settle();
  auto third = s.connect();
  third.send(get_of("/later/75"));
  s.pass(200);
  for (auto* c : {&first, &second, &third}) {
    const std::string answer = c->take();
    CHECK(body_of(answer) == field_of(answer, "X-Request-Id"));
  }
  const auto lines = lines_of(s);
  REQUIRE(lines.size() == 3);
  CHECK(tail_of(lines[0]).id == "second");
  CHECK(tail_of(lines[2]).id == "first");
}

TEST_CASE("the same seed makes the same ids, another one others", "[sim]") {
  const auto id = [](std::uint64_t seed) {
    plain_server s(seed);
    return field_of(s.answer_to(get_of("/")), "X-Request-Id");
  };
  CHECK(id(1) == id(1));
  CHECK(id(1) != id(2));
}

TEST_CASE("without config::request_ids no answer has one", "[sim]") {
  nen::testing::simulated_server<plain_routes, nen::config{}, waiting> s;
  const std::string answer = s.answer_to(get_of("/whoami", "X-Request-Id: mine\r\n" + traceparent));
  CHECK(answer.find("X-Request-Id") == std::string::npos);
  CHECK(body_of(answer) == "mine");
  CHECK(field_of(answer, "X-Trace") == trace);
  CHECK(body_of(s.answer_to(get_of("/whoami"))).size() == 32);
}
