// deferred: a handle passes what it is asked on to the session that made it; one that names nothing
// does nothing.
#include <nen/http/deferred.hpp>
#include <nen/http/request.hpp>
#include <nen/http/response.hpp>

#include <string>
#include <utility>
#include <vector>

#include "http/answering.hpp"
#include "support/catch.hpp"
#include "support/death.hpp"

namespace {

using nen::completion_outcome;
using nen::deferred;
using nen::detail::deferred_access;
using nen::detail::deferred_callback;
using nen::detail::deferred_host;
using nen::detail::request_name;

/// A session that writes down what handles want.
struct recorder : deferred_host {
  std::vector<std::string> calls;
  std::vector<request_name> names;
  deferred_callback callback{};
  nen::detail::body_callback consumer{};
  nen::detail::stream_callback producer{};
  bool says = true;
  completion_outcome outcome = completion_outcome::no_room;

  recorder() : deferred_host{&table, nullptr} {}

  static recorder& self(deferred_host& h) { return static_cast<recorder&>(h); }
  bool note(std::string what, const request_name& n) {
    calls.push_back(std::move(what));
    names.push_back(n);
    return says;
  }
  static const functions table;
};

const deferred_host::functions recorder::table = {
    [](deferred_host& h, const request_name& n) noexcept {
      return recorder::self(h).note("pending", n);
    },
    [](deferred_host& h, const request_name& n, deferred_host::answer_function) {
      (void)recorder::self(h).note("complete", n);
      return recorder::self(h).outcome;
    },
    [](deferred_host& h, const request_name& n, std::uint32_t ms,
       const deferred_callback& c) noexcept {
      recorder::self(h).callback = c;
      return recorder::self(h).note("after " + std::to_string(ms), n);
    },
    [](deferred_host& h, const request_name& n) noexcept {
      return recorder::self(h).note("wake", n);
    },
    [](deferred_host& h) noexcept -> nen::detail::stream_callback& {
      return recorder::self(h).producer;
    },
    [](deferred_host& h) noexcept -> nen::detail::body_callback& {
      return recorder::self(h).consumer;
    },
    nullptr,  // no handler here is a coroutine
    nullptr,
    nullptr};

const auto hello = [](const nen::request&, nen::response& res) { return res.text("hello"); };

}  // namespace

TEST_CASE("a handle that names nothing does nothing", "[deferred]") {
  const deferred nothing;
  CHECK(!nothing.pending());
  bool called = false;
  CHECK(nothing.complete([&](const nen::request&, nen::response& res) {
    called = true;
    return res.text("");
  }) == completion_outcome::gone);
  CHECK(!called);
  CHECK(!nothing.after(1, hello));
  CHECK(!nothing.wake());
}

TEST_CASE("a handle asks its session, with the name of its request", "[deferred]") {
  recorder session;
  const request_name name{3, 5, 7};
  const deferred handle = deferred_access::make(session, name);
  const deferred copy = handle;
  for (const bool says : {true, false}) {
    session.says = says;
    CHECK(handle.pending() == says);
    CHECK(copy.wake() == says);
    CHECK(handle.after(250, hello) == says);
  }
  CHECK(session.callback);
  for (const auto o :
       {completion_outcome::answered, completion_outcome::gone, completion_outcome::no_room}) {
    session.outcome = o;
    CHECK(copy.complete(hello) == o);
  }
  CHECK(session.calls == std::vector<std::string>{"pending", "wake", "after 250", "pending", "wake",
                                                  "after 250", "complete", "complete", "complete"});
  for (const request_name& n : session.names) CHECK(n == name);
}

TEST_CASE("two names are the same only when all of them is", "[deferred]") {
  const request_name name{1, 2, 3};
  CHECK(name == request_name{1, 2, 3});
  CHECK(!(name == request_name{0, 2, 3}));
  CHECK(!(name == request_name{1, 0, 3}));
  CHECK(!(name == request_name{1, 2, 0}));
}

TEST_CASE("a handle is a small value", "[deferred]") {
  STATIC_REQUIRE(std::is_trivially_copyable_v<deferred>);
  STATIC_REQUIRE(sizeof(deferred) <= 24);
}

TEST_CASE("later() takes back what was written", "[deferred]") {
  nen::test::memory_output out;
  const nen::response_defaults defaults{nen::test::common_lines};
  nen::response res(out, defaults, {});
  (void)res.defer();
  res.field("X-Early", "1").begin("a/b").write("part");
  CHECK(out.text().find("X-Early") != std::string::npos);
  (void)res.later();
  CHECK(out.text().empty());
  CHECK(res.is_deferred());
  CHECK(res.finished());
}

TEST_CASE("who took a handle and answers all the same has answered", "[deferred]") {
  bool deferred_answer = true;
  const auto got = nen::test::answer([&](nen::response& res) {
    (void)res.defer();
    CHECK(res.is_deferred());
    auto r = res.text("now");
    deferred_answer = res.is_deferred();
    return r;
  });
  CHECK(!deferred_answer);
  CHECK(nen::test::receive(got.bytes)->body == "now");
}

TEST_CASE("later() without defer() is a programmer's error: nobody could answer", "[deferred]") {
  const auto death = nen::test::dies(
      [] { (void)nen::test::answer([](nen::response& res) { return res.later(); }); });
  CHECK(death.aborted);
  CHECK_THAT(death.output, nen::test::ContainsSubstring("assertion failed"));
}

TEST_CASE("an answer is streamed where its session can, and its head says how", "[deferred]") {
  recorder session;
  const nen::response_defaults defaults{nen::test::common_lines};
  struct row {
    nen::response_framing framing;
    int status;
    bool streams;
    bool keeps_alive;
    const char* lines;
  };
  const row rows[] = {
      {{}, 200, true, true, "Content-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {{.keep_alive = false},
       200,
       true,
       false,
       "Content-Type: a/b\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"},
      {{.http_1_0 = true}, 200, true, false, "Content-Type: a/b\r\nConnection: close\r\n\r\n"},
      {{.without_body = true},
       200,
       false,
       true,
       "Content-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {{}, 204, false, true, "\r\n"},
      {{}, 304, false, true, "\r\n"},
  };
  for (const row& r : rows) {
    INFO(r.status << " " << r.lines);
    session.producer.clear();
    nen::test::memory_output out;
    nen::response res(out, defaults, r.framing, deferred_access::make(session, {}));
    res.set_status(static_cast<nen::status>(r.status));
    (void)res.stream("a/b", [](nen::body_stream&) {});
    CHECK(res.is_streaming() == r.streams);
    CHECK(static_cast<bool>(session.producer) == r.streams);
    CHECK(res.keeps_alive() == r.keeps_alive);
    CHECK_THAT(out.text(), nen::test::EndsWith(std::string(nen::test::common_lines) + r.lines));
  }
}

TEST_CASE("a 205 has no content, so its head announces none", "[deferred]") {
  recorder session;
  const nen::response_defaults defaults{nen::test::common_lines};
  nen::test::memory_output out;
  nen::response res(out, defaults, {}, deferred_access::make(session, {}));
  (void)res.set_status(nen::status::reset_content).stream("a/b", [](nen::body_stream&) {});
  CHECK(!res.is_streaming());
  const auto got = nen::test::receive(out.text());
  REQUIRE(got);  // one that says chunked and sends no chunk never ends
  CHECK(got->count("Transfer-Encoding") == 0);
}

TEST_CASE("a media type that could end its line makes the stream a 500", "[deferred]") {
  recorder session;
  const nen::response_defaults defaults{nen::test::common_lines};
  nen::test::memory_output out;
  nen::response res(out, defaults, {}, deferred_access::make(session, {}));
  (void)res.stream("a/b\r\nX-Evil: 1", [](nen::body_stream&) {});
  CHECK(!res.is_streaming());
  CHECK(res.was_replaced());
  CHECK(out.text() == nen::test::replacement());
}
