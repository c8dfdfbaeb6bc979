// The access log when its descriptor takes little, late, or nothing: requests never feel it, and
// what is lost is whole lines, which are counted.
#include <string>

#include "sim/log_server.hpp"
#include "support/catch.hpp"

using namespace nen::test::logging;

namespace {

std::string count_to(int n) { return std::to_string(n); }

/// Requests /0, /1, … one by one.
template <class Server>
void ask(Server& s, int begin, int end) {
  auto c = s.connect();
  for (int i = begin; i < end; ++i) {
    c.send(get_of("/" + count_to(i)));
    s.settle();
    REQUIRE(c.take().starts_with("HTTP/1.1 404 "));
  }
}

/// Every line is whole, and they are in order. @returns  how many there are
int whole_lines(const std::string& text) {
  int last = -1;
  int lines = 0;
  for (const std::string& line : split(text)) {
    INFO(line);
    const std::string said = gist(line);
    REQUIRE(said.starts_with("\"GET /"));
    const int number = std::stoi(said.substr(6));
    CHECK(number > last);
    last = number;
    ++lines;
  }
  return lines;
}

}  // namespace

TEST_CASE("a descriptor that takes nothing loses lines, not requests", "[sim]") {
  plain_server s(1, {}, logged());
  auto& sink = s.network().sink_of(log_descriptor);
  sink.is_stuck = true;
  ask(s, 0, 200);
  const auto made = s.counters().log_lines.value();
  CHECK(made + s.counters().log_lines_dropped.value() == 200);
  CHECK(s.counters().log_lines_dropped.value() > 100);  // 8 KiB hold few
  CHECK(made > 20);
  CHECK(sink.writes.empty());

  sink.is_stuck = false;
  s.settle();
  CHECK(whole_lines(sink.text()) == static_cast<int>(made));
  ask(s, 200, 300);
  CHECK(whole_lines(text_of(s)) == static_cast<int>(made) + 100);
  CHECK(s.counters().log_write_errors.value() == 0);
}

TEST_CASE("lines that follow each other soon are gathered for one write", "[sim]") {
  plain_server s(1, {}, logged());
  auto& sink = s.network().sink_of(log_descriptor);
  ask(s, 0, 1);
  CHECK(sink.writes.size() == 1);  // nobody knows yet that others follow
  ask(s, 1, 6);
  CHECK(sink.writes.size() == 1);
  s.pass(19);
  CHECK(sink.writes.size() == 1);
  s.pass(1);
  CHECK(sink.writes.size() == 2);
  CHECK(whole_lines(sink.text()) == 6);
}

TEST_CASE("lines that wait are written together", "[sim]") {
  plain_server s(1, {}, logged());
  std::string many;
  for (int i = 0; i < 10; ++i) many += get_of("/" + count_to(i));
  (void)s.answer_to(many);
  const auto& sink = s.network().sink_of(log_descriptor);
  CHECK(sink.writes.size() == 1);
  CHECK(whole_lines(sink.text()) == 10);
}

TEST_CASE("short writes go on where they ended", "[sim]") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    plain_server s(seed, {.short_write = 900, .late = 300}, logged());
    ask(s, 0, 50);
    s.pass(1000);
    CHECK(s.counters().log_lines_dropped.value() == 0);
    CHECK(whole_lines(text_of(s)) == 50);
  }
}

TEST_CASE("a write that fails is tried again, and people are told once", "[sim]") {
  static int told;
  static std::string sentence;
  told = 0;
  nen::listen_options options = logged();
  options.on_log = [](const nen::log_event& e) {
    CHECK(e.code == nen::log_code::access_log_failed);
    CHECK(e.severity == nen::log_severity::warning);
    CHECK(e.request == nullptr);
    ++told;
    sentence = e.sentence;
  };
  plain_server s(1, {}, options);
  auto& sink = s.network().sink_of(log_descriptor);
  sink.errno_value = ENOSPC;
  ask(s, 0, 10);
  s.pass(3500);
  CHECK(s.counters().log_write_errors.value() == 4);
  CHECK(told == 1);
  CHECK(sentence == "the access log cannot be written: No space left on device");
  sink.errno_value = 0;
  s.pass(1000);
  CHECK(whole_lines(sink.text()) == 10);
  sink.errno_value = EIO;
  ask(s, 10, 11);
  CHECK(told == 2);
  sink.errno_value = 0;
  s.pass(1000);
  CHECK(whole_lines(sink.text()) == 11);
  CHECK(s.counters().log_lines_dropped.value() == 0);
}

TEST_CASE("a descriptor that does not block is asked again soon", "[sim]") {
  plain_server s(1, {}, logged());
  auto& sink = s.network().sink_of(log_descriptor);
  sink.errno_value = EAGAIN;
  ask(s, 0, 5);
  CHECK(sink.writes.empty());
  sink.errno_value = 0;
  s.pass(20);
  CHECK(whole_lines(sink.text()) == 5);
  CHECK(s.counters().log_write_errors.value() == 0);
}

TEST_CASE("a server that stops writes what is left", "[sim]") {
  for (const bool aborts : {false, true}) {
    plain_server s(1, {}, logged());
    auto& sink = s.network().sink_of(log_descriptor);
    sink.is_stuck = true;
    ask(s, 0, 5);
    aborts ? s.abort() : s.stop();
    s.pass(100);
    CHECK(!s.is_over());
    sink.is_stuck = false;
    s.pass(10);
    CHECK(s.is_over());
    CHECK(whole_lines(sink.text()) == 5);
    CHECK(s.counters().log_lines_dropped.value() == 0);
  }
}

TEST_CASE("a server that stops does not wait for its log longer than for clients", "[sim]") {
  nen::listen_options options = logged();
  options.drain_timeout = std::chrono::milliseconds(3000);
  for (const auto& [is_stuck, errno_value, ms] :
       {std::tuple{true, 0, 3200}, std::tuple{false, EAGAIN, 3200}, std::tuple{false, EIO, 1100}}) {
    plain_server s(1, {}, options);
    auto& sink = s.network().sink_of(log_descriptor);
    sink.is_stuck = is_stuck;
    sink.errno_value = errno_value;
    ask(s, 0, 5);
    s.stop();
    s.pass(static_cast<std::uint64_t>(ms) - 300);
    CHECK(!s.is_over());
    s.pass(400);
    CHECK(s.is_over());
    CHECK(s.counters().log_lines_dropped.value() == 5);
    CHECK(sink.writes.empty());
  }
}

TEST_CASE("an aborted server gives its log a moment, and no more", "[sim]") {
  plain_server s(1, {}, logged());
  s.network().sink_of(log_descriptor).is_stuck = true;
  ask(s, 0, 5);
  s.abort();
  s.pass(190);
  CHECK(!s.is_over());
  s.pass(20);
  CHECK(s.is_over());
  CHECK(s.counters().log_lines_dropped.value() == 5);
}

TEST_CASE("on bad days every line is whole and none is unaccounted for", "[sim]") {
  std::size_t written = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    nen::listen_options options = logged({.sample = 2});
    options.on_log = [](const nen::log_event&) {};
    any_server s(seed, nen::testing::faults::bad_day(), options);
    for (int round = 0; round < 10; ++round) {
      auto a = s.connect(), b = s.connect(), c = s.connect();
      a.send(get_of("/later/" + count_to(round)) + get_of("/"));
      b.send(get_of("/parks"));
      c.send(get_of("/wakes") + get_of("/nowhere"));
      s.pass(30);
    }
    s.stop();
    s.run_to_end();
    auto lines = lines_of(s);
    const auto& counters = s.counters();
    // One that was given up half written can only be the last.
    if (counters.log_lines_dropped.value() != 0 && lines.back().starts_with("without its end"))
      lines.pop_back();
    for (const std::string& line : lines) CHECK(!gist(line).starts_with("not in form"));
    CHECK(lines.size() + counters.log_lines_dropped.value() == counters.log_lines.value());
    written += lines.size();
  }
  CHECK(written > 600);
}
