// Tests of http/request_writer.hpp: what is written, and that the request parser reads just that.
#include <nen/http/request_writer.hpp>

#include <string>
#include <string_view>

#include "http/parser_driver.hpp"
#include "support/catch.hpp"
#include "support/death.hpp"

namespace {

using nen::method;
using nen::parse_url;
using nen::request_fault;
using nen::request_options;
using nen::request_writer;
using nen::test::exact_bytes;

nen::url url_of(std::string_view text) {
  const nen::url_result r = parse_url(text);
  REQUIRE(r.fault == nen::url_fault::none);
  return r.value;
}

/// A writer over memory of exactly this size, so that a byte written behind it is seen.
struct written {
  explicit written(std::size_t room = 512)
      : bytes(std::string(room, '#')), head({bytes.begin(), room}) {}
  std::string finish() {
    return head.finish() == request_fault::none ? std::string(head.text())
                                                : std::string(to_string(head.fault()));
  }
  exact_bytes bytes;
  request_writer head;
};

std::string message(request_fault fault) { return std::string(to_string(fault)); }

}  // namespace

TEST_CASE("a request's head has its target and its host from the URL") {
  struct row {
    method m;
    std::string_view text, wanted;
  };
  const row rows[] = {
      {method::get, "http://example.org", "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"},
      {method::get, "http://h:80/a?b=c#d", "GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n"},
      {method::head, "http://h:8080?q", "HEAD /?q HTTP/1.1\r\nHost: h:8080\r\n\r\n"},
      {method::get, "https://[::1]:80/", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"},
      {method::delete_, "https://h:443/a", "DELETE /a HTTP/1.1\r\nHost: h\r\n\r\n"},
      {method::options, "http://h/", "OPTIONS / HTTP/1.1\r\nHost: h\r\n\r\n"},
      {method::trace, "http://h/", "TRACE / HTTP/1.1\r\nHost: h\r\n\r\n"},
      // RFC 9110 §8.6: these are expected to have content.
      {method::post, "http://h/", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"},
      {method::put, "http://h/", "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"},
      {method::patch, "http://h/", "PATCH / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"},
      // RFC 9112 §3.2.3: the port is always there.
      {method::connect, "http://h/a?b", "CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n"},
      {method::connect, "https://[::1]:8443",
       "CONNECT [::1]:8443 HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n"},
  };
  for (const row& r : rows) {
    CAPTURE(std::string(r.text));
    written w;
    w.head.start(r.m, url_of(r.text));
    CHECK(w.finish() == r.wanted);
  }
}

TEST_CASE("a request's target can have any form of RFC 9112 §3.2") {
  struct row {
    method m;
    std::string_view target, host, wanted;
  };
  const row rows[] = {
      {method::options, "*", "h", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"},
      {method::get, "http://h:81/a?b", "h:81",
       "GET http://h:81/a?b HTTP/1.1\r\nHost: h:81\r\n\r\n"},
      {method::get, "/a", "", "GET /a HTTP/1.1\r\nHost: \r\n\r\n"},
      {method::connect, "h:443", "h:443", "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"},
  };
  for (const row& r : rows) {
    written w;
    w.head.start(r.m, r.target, r.host);
    CHECK(w.finish() == r.wanted);
  }
  for (const std::string_view target : {"", "/a b", "/a\r\nX: y", "/a#b", "/\x80", "/%2", "/<"}) {
    CAPTURE(std::string(target));
    written w;
    w.head.start(method::get, target, "h");
    CHECK(w.finish() == message(request_fault::target_invalid));
  }
  for (const std::string_view host : {"a b", "h\r\nX: y", "u@h", ":80", "h/", "[::1"}) {
    CAPTURE(std::string(host));
    written w;
    w.head.start(method::get, "/", host);
    CHECK(w.finish() == message(request_fault::target_invalid));
  }
}

TEST_CASE("a URL that was put together by hand brings nothing else into a head") {
  const auto with = [](auto change) {
    nen::url u = url_of("http://h/a?b");
    change(u);
    written w;
    w.head.start(method::get, u);
    return w.finish();
  };
  const std::string invalid = message(request_fault::target_invalid);
  CHECK(with([](nen::url&) {}) == "GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(with([](nen::url& u) { u.path = "a"; }) == invalid);
  CHECK(with([](nen::url& u) { u.path = "/a b"; }) == invalid);
  CHECK(with([](nen::url& u) { u.path = "/a\r\n"; }) == invalid);
  CHECK(with([](nen::url& u) { u.path = "/a?c"; }) == invalid);
  CHECK(with([](nen::url& u) { u.query = "b"; }) == invalid);
  CHECK(with([](nen::url& u) { u.query = "?b c"; }) == invalid);
  CHECK(with([](nen::url& u) { u.query = "?b#c"; }) == invalid);
  CHECK(with([](nen::url& u) { u.host = "h\r\nX: y"; }) == invalid);
  CHECK(with([](nen::url& u) { u.host = ""; }) == invalid);
  CHECK(with([](nen::url& u) { u.host = "h:81"; }) == invalid);
  CHECK(with([](nen::url& u) { u.port = 0; }) == invalid);
}

TEST_CASE("the options of a request become fields of their own") {
  struct row {
    request_options options;
    std::string_view lines;
  };
  const row rows[] = {
      {{}, ""},
      {{.user_agent = "nen/1"}, "User-Agent: nen/1\r\n"},
      {{.close = true}, "Connection: close\r\n"},
      {{.upgrade_to = "websocket"}, "Upgrade: websocket\r\nConnection: Upgrade\r\n"},
      {{.user_agent = "a b", .upgrade_to = "x", .close = true},
       "User-Agent: a b\r\nUpgrade: x\r\nConnection: Upgrade, close\r\n"},
  };
  for (const row& r : rows) {
    written w;
    w.head.start(method::get, url_of("http://h/"), r.options).field("A", "b");
    CHECK(w.finish() == "GET / HTTP/1.1\r\nHost: h\r\n" + std::string(r.lines) + "A: b\r\n\r\n");
  }
  for (const request_options& bad :
       {request_options{.user_agent = "a\r\nb"}, request_options{.upgrade_to = "a\nb"}}) {
    written w;
    w.head.start(method::get, url_of("http://h/"), bad);
    CHECK(w.finish() == message(request_fault::field_invalid));
  }
}

TEST_CASE("a request says how long its content is, or that it comes in chunks") {
  const auto finished = [](method m, auto finish) {
    written w;
    w.head.start(m, url_of("http://h/"));
    const request_fault fault = finish(w.head);
    return fault == request_fault::none ? std::string(w.head.text()) : message(fault);
  };
  const auto sized = [](request_writer& w) { return w.finish(18446744073709551615U); };
  const auto empty = [](request_writer& w) { return w.finish(0); };
  const auto chunked = [](request_writer& w) { return w.finish_chunked(); };
  CHECK(finished(method::post, sized) ==
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551615\r\n\r\n");
  CHECK(finished(method::get, empty) == "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
  CHECK(finished(method::put, chunked) ==
        "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (const method m : {method::trace, method::connect}) {
    CHECK(finished(m, empty) == message(request_fault::content_forbidden));
    CHECK(finished(m, chunked) == message(request_fault::content_forbidden));
  }
}

TEST_CASE("a field that would make another request is refused") {
  using namespace std::string_view_literals;
  struct row {
    std::string_view name, value;
    request_fault fault;
  };
  const row rows[] = {
      {"Accept", "*/*", request_fault::none},
      {"X", "", request_fault::none},
      {"X", "a\tb \xc3\xa4", request_fault::none},
      {"Expect", "100-continue", request_fault::none},
      {"User-Agent", "x", request_fault::none},
      {"", "a", request_fault::field_invalid},
      {"A b", "c", request_fault::field_invalid},
      {"A:", "c", request_fault::field_invalid},
      {"A\r\nB", "c", request_fault::field_invalid},
      {"A", "b\r\nC: d", request_fault::field_invalid},
      {"A", "b\n", request_fault::field_invalid},
      {"A", "b\r", request_fault::field_invalid},
      {"A", "b\0"sv, request_fault::field_invalid},
      {"A", "\x7f", request_fault::field_invalid},
      {"Content-Length", "1", request_fault::field_reserved},
      {"CONTENT-LENGTH", "1", request_fault::field_reserved},
      {"Transfer-Encoding", "chunked", request_fault::field_reserved},
      {"host", "x", request_fault::field_reserved},
      {"Connection", "close", request_fault::field_reserved},
      {"Keep-Alive", "1", request_fault::field_reserved},
      {"Proxy-Connection", "close", request_fault::field_reserved},
      {"TE", "trailers", request_fault::field_reserved},
      {"Trailer", "a", request_fault::field_reserved},
      {"Upgrade", "x", request_fault::field_reserved},
  };
  for (const row& r : rows) {
    CAPTURE(std::string(r.name), std::string(r.value));
    written w;
    w.head.start(method::get, url_of("http://h/")).field(r.name, r.value).field("Z", "z");
    CHECK(to_string(w.head.finish()) == to_string(r.fault));
  }
  written w;
  w.head.start(method::get, url_of("http://h/"), {.user_agent = "a"}).field("user-agent", "b");
  CHECK(w.finish() == message(request_fault::field_reserved));
}

TEST_CASE("a head that does not fit is a fault, and no byte is written behind its room") {
  const std::string wanted =
      "POST /a HTTP/1.1\r\nHost: h:81\r\nUser-Agent: u\r\nA: b\r\nContent-Length: 12\r\n\r\n";
  for (std::size_t room = 0; room <= wanted.size() + 1; ++room) {
    CAPTURE(room);
    written w(room);
    w.head.start(method::post, url_of("http://h:81/a"), {.user_agent = "u"}).field("A", "b");
    const request_fault fault = w.head.finish(12);
    CHECK(fault == (room < wanted.size() ? request_fault::too_long : request_fault::none));
    if (fault == request_fault::none) CHECK(w.head.text() == wanted);
  }
}

TEST_CASE("a writer starts over, whatever went wrong before") {
  written w;
  w.head.start(method::post, url_of("http://h/")).field("A b", "c");
  CHECK(w.finish() == message(request_fault::field_invalid));
  w.head.start(method::get, url_of("http://h/")).field("A", "b");
  CHECK(w.finish() == "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n");
}

TEST_CASE("the request parser reads what was written, and nothing else") {
  for (const std::string_view text : {"http://h", "https://[::1]:81/a/b?c=d[]", "ws://a.b:80?q"}) {
    for (const method m : {method::get, method::post, method::options}) {
      written w;
      w.head.start(m, url_of(text), {.user_agent = "u", .close = true}).field("X", " v ");
      const std::string head = w.finish();
      exact_bytes bytes(head);
      nen::test::parser p;
      p.start(bytes.begin(), nen::test::usual_limits);
      const nen::parse_result r = p.feed(bytes.begin(), bytes.end());
      REQUIRE(r.status == nen::parse_status::message_complete);
      CHECK(r.consumed == head.size());
      const nen::url u = url_of(text);
      CHECK(p.message().method() == m);
      CHECK(p.message().path() == u.target_path());
      CHECK(p.message().host().substr(0, u.host.size()) == u.host);
      CHECK(p.message().field("x") == "v");
      CHECK_FALSE(p.message().keep_alive());
    }
  }
}

TEST_CASE("using a request writer in a way it is not made for stops the program") {
  written w;
  CHECK(nen::test::dies([&] { w.head.field("A", "b"); }).aborted);
  CHECK(nen::test::dies([&] { static_cast<void>(w.head.finish()); }).aborted);
  CHECK(nen::test::dies([&] { static_cast<void>(w.head.text()); }).aborted);
  w.head.start(method::get, url_of("http://h/"));
  CHECK(nen::test::dies([&] { static_cast<void>(w.head.text()); }).aborted);
  CHECK(w.head.finish() == request_fault::none);
  CHECK(nen::test::dies([&] { w.head.field("A", "b"); }).aborted);
}
