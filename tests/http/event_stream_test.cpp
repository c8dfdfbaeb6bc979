// Server-sent events: the bytes of every field, and that data can't pretend to be a field.
#include <nen/http/event_stream.hpp>

#include <string>

#include "http/answering.hpp"
#include "support/catch.hpp"
#include "support/death.hpp"

namespace {

using nen::body_stream;
using nen::event;
using nen::test::memory_output;

/// What one event becomes, without its chunk's frame.
std::string written(const event& e) {
  memory_output out(1024, 2048);
  out.begin_message();
  body_stream body(out, false);
  NEN_ASSERT(nen::event_writer(body).write(e));
  return out.text();
}

}  // namespace

TEST_CASE("an event is its fields, one a line, and an empty line", "[event_stream]") {
  struct row {
    event e;
    const char* text;
  };
  const row rows[] = {
      {{.data = "tick"}, "data: tick\n\n"},
      {{.data = "tick", .id = "7"}, "id: 7\ndata: tick\n\n"},
      {{.data = "tick", .name = "time"}, "event: time\ndata: tick\n\n"},
      {{.data = "tick", .retry_ms = 1}, "retry: 1\ndata: tick\n\n"},
      {{.data = "tick", .retry_ms = 4294967295}, "retry: 4294967295\ndata: tick\n\n"},
      {{.data = "d", .id = "i", .name = "n", .retry_ms = 2500},
       "event: n\nid: i\nretry: 2500\ndata: d\n\n"},
      {{.data = " leading"}, "data:  leading\n\n"},
      {{.data = "", .id = "7"}, "id: 7\ndata: \n\n"},
      {{.retry_ms = 5}, "retry: 5\n\n"},
      {{.data = "\xc3\xa4"}, "data: \xc3\xa4\n\n"},
  };
  for (const row& r : rows) CHECK(written(r.e) == r.text);
}

TEST_CASE("every way to end a line begins another data line", "[event_stream]") {
  struct row {
    const char* data;
    const char* text;
  };
  const row rows[] = {
      {"a\nb", "data: a\ndata: b\n\n"},
      {"a\r\nb", "data: a\ndata: b\n\n"},
      {"a\rb", "data: a\ndata: b\n\n"},
      {"a\n\nb", "data: a\ndata: \ndata: b\n\n"},
      {"a\r\rb", "data: a\ndata: \ndata: b\n\n"},
      {"a\r\n\r\nb", "data: a\ndata: \ndata: b\n\n"},
      {"a\n\rb", "data: a\ndata: \ndata: b\n\n"},
      {"a\n", "data: a\ndata: \n\n"},
      {"a\r", "data: a\ndata: \n\n"},
      {"\na", "data: \ndata: a\n\n"},
      {"\r\n", "data: \ndata: \n\n"},
      {"a\nid: 9\n\ndata: evil", "data: a\ndata: id: 9\ndata: \ndata: data: evil\n\n"},
      {"a\rretry: 1", "data: a\ndata: retry: 1\n\n"},
  };
  for (const row& r : rows) CHECK(written({.data = r.data}) == r.text);
}

TEST_CASE("each event is one chunk", "[event_stream]") {
  memory_output out(1024, 2048);
  out.begin_message();
  body_stream body(out, true);
  nen::event_writer events(body);
  CHECK(events.write({.data = "a\nb", .id = "1"}));
  CHECK(events.write_keep_alive());
  CHECK(out.text() == "17\r\nid: 1\ndata: a\ndata: b\n\n\r\n3\r\n:\n\n\r\n");
  CHECK(body.step() == body_stream::next_step::more);
}

TEST_CASE("an event that does not fit is not begun", "[event_stream]") {
  const std::string data(300, 'x');
  const std::string framed = "134\r\ndata: " + data + "\n\n\r\n";
  memory_output out(1024, 2048);
  out.begin_message();
  body_stream body(out, true);
  std::string all;
  while (nen::event_writer(body).write({.data = data})) {
    all += framed;
    REQUIRE(all.size() <= 2048);
  }
  CHECK(out.text() == all);
  CHECK(all.size() == 6 * framed.size());
  CHECK(body.step() == body_stream::next_step::more);
}

TEST_CASE("in the last call no event is written", "[event_stream]") {
  memory_output out(1024, 2048);
  out.begin_message();
  body_stream body(nen::body_stream::end{});
  CHECK(!nen::event_writer(body).write({.data = "x"}));
  CHECK(!nen::event_writer(body).write_keep_alive());
  CHECK(out.text().empty());
}

TEST_CASE("a line break in an id or a name is a programmer's error", "[event_stream]") {
  using namespace std::string_view_literals;
  for (const auto text : {"a\nb"sv, "a\rb"sv, "\n"sv, "a\r\n"sv, "a\0b"sv}) {
    for (const bool in_id : {true, false}) {
      const auto death = nen::test::dies([&] {
        (void)written(in_id ? event{.data = "x", .id = text} : event{.data = "x", .name = text});
      });
      CHECK(death.aborted);
      CHECK_THAT(death.output, nen::test::ContainsSubstring("is_line"));
    }
  }
}
