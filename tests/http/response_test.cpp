// What a response writes, byte for byte: every kind of answer, status, framing, and fields.
#include "http/answering.hpp"
#include "support/catch.hpp"

#include <nen/http/response.hpp>
#include <string>
#include <string_view>
#include <type_traits>

namespace {

using nen::response;
using nen::status;
using nen::test::answer;
using nen::test::message;
using nen::test::receive;

constexpr std::string_view text_type = "Content-Type: text/plain; charset=utf-8\r\n";

std::string text_lines(std::string_view length) {
  return std::string(text_type).append("Content-Length: ").append(length).append("\r\n");
}

constexpr nen::response_framing to_head{.without_body = true};
constexpr nen::response_framing closing{.keep_alive = false};
constexpr nen::response_framing kept_1_0{.http_1_0 = true};
constexpr nen::response_framing closed_1_0{.keep_alive = false, .http_1_0 = true};

/// Every way to answer, for tests that go through them all.
using handler = nen::reply (*)(response&);
struct kind {
  const char* name;
  handler run;
};
constexpr kind kinds[] = {
    {"text", [](response& res) { return res.text("Hello, World!"); }},
    {"empty text", [](response& res) { return res.text(""); }},
    {"html", [](response& res) { return res.html("<p>"); }},
    {"bytes", [](response& res) { return res.bytes(std::string_view("\0\r\n\xff", 4)); }},
    {"send", [](response& res) { return res.send("image/png", "png"); }},
    {"send without a type", [](response& res) { return res.send("", "?"); }},
    {"send_static", [](response& res) { return res.send_static("text/css", "p{}"); }},
    {"empty send_static", [](response& res) { return res.send_static("text/css", ""); }},
    {"status", [](response& res) { return res.status(404); }},
    {"redirect", [](response& res) { return res.redirect("/there"); }},
    {"stream", [](response& res) { return res.begin("text/csv").write("a,").write("b").finish(); }},
    {"empty stream", [](response& res) { return res.begin("text/csv").finish(); }},
    {"fields and status",
     [](response& res) {
       return res.field("X-One", "1").set_status(status::accepted).field("X-Two", "2").text("ok");
     }},
};

}  // namespace

TEST_CASE("Every kind of answer is written as it is to be sent") {
  const std::string expected[] = {
      message("200 OK", text_lines("13"), "Hello, World!"),
      message("200 OK", text_lines("0")),
      message("200 OK", "Content-Type: text/html; charset=utf-8\r\nContent-Length: 3\r\n", "<p>"),
      message("200 OK", "Content-Type: application/octet-stream\r\nContent-Length: 4\r\n",
              std::string_view("\0\r\n\xff", 4)),
      message("200 OK", "Content-Type: image/png\r\nContent-Length: 3\r\n", "png"),
      message("200 OK", "Content-Length: 1\r\n", "?"),
      message("200 OK", "Content-Type: text/css\r\nContent-Length: 3\r\n", "p{}"),
      message("200 OK", "Content-Type: text/css\r\nContent-Length: 0\r\n"),
      message("404 Not Found", text_lines("9"), "Not Found"),
      message("302 Found", "Location: /there\r\nContent-Length: 0\r\n"),
      message("200 OK", "Content-Type: text/csv\r\nContent-Length:                    3\r\n",
              "a,b"),
      message("200 OK", "Content-Type: text/csv\r\nContent-Length:                    0\r\n"),
      message("202 Accepted", "X-One: 1\r\nX-Two: 2\r\n" + text_lines("2"), "ok"),
  };
  static_assert(std::size(expected) == std::size(kinds));
  for (std::size_t i = 0; i < std::size(kinds); ++i) {
    CAPTURE(kinds[i].name);
    const auto a = answer(kinds[i].run);
    CHECK(a.bytes == expected[i]);
    CHECK(a.keeps_alive);
    CHECK_FALSE(a.was_replaced);
    CHECK(receive(a.bytes));
  }
}

TEST_CASE("HEAD is answered with the head of GET and no body") {
  for (const kind& k : kinds) {
    CAPTURE(k.name);
    const std::string get = answer(k.run).bytes;
    const std::string head = answer({.framing = to_head}, k.run).bytes;
    CHECK(head == get.substr(0, get.find("\r\n\r\n") + 4));
    CHECK(receive(head, true));
  }
}

TEST_CASE("Connection is said only where the version's default is not meant") {
  struct row {
    nen::response_framing framing;
    std::string_view line;
    bool keeps;
  };
  constexpr row rows[] = {
      {{}, "", true},
      {closing, "Connection: close\r\n", false},
      {kept_1_0, "Connection: keep-alive\r\n", true},
      {closed_1_0, "Connection: close\r\n", false},
  };
  for (const row& r : rows) {
    CAPTURE(r.line);
    const auto a = answer({.framing = r.framing}, [](response& res) { return res.text("ok"); });
    CHECK(a.bytes == message("200 OK", text_lines("2").append(r.line), "ok"));
    CHECK(a.keeps_alive == r.keeps);
    const auto none = answer({.framing = r.framing}, [](response& res) { return res.status(204); });
    CHECK(none.bytes == message("204 No Content", r.line));
  }
}

TEST_CASE("Connection names Upgrade where that is written, RFC 9110 §7.8") {
  struct row {
    nen::response_framing framing;
    std::string_view line;
  };
  constexpr row rows[] = {
      {{}, "Connection: Upgrade\r\n"},
      {closing, "Connection: close, Upgrade\r\n"},
      {kept_1_0, "Connection: keep-alive, Upgrade\r\n"},
      {closed_1_0, "Connection: close, Upgrade\r\n"},
  };
  for (const row& r : rows) {
    for (const std::string_view name : {"Upgrade", "upGRADE"}) {
      CAPTURE(r.line, name);
      const auto a = answer({.framing = r.framing}, [&](response& res) {
        return res.field(name, "h2c").set_status(nen::status::upgrade_required).text("ok");
      });
      CHECK(a.bytes == message("426 Upgrade Required",
                               std::string(name) + ": h2c\r\n" + text_lines("2").append(r.line),
                               "ok"));
    }
  }
  const auto taken_back = answer([](response& res) {
    res.field("Upgrade", "h2c").start_over();
    return res.text("ok");
  });
  CHECK(taken_back.bytes == message("200 OK", text_lines("2"), "ok"));
}

TEST_CASE("close closes, before and behind other calls") {
  const auto wanted =
      message("200 OK", "X: y\r\n" + text_lines("2") + "Connection: close\r\n", "ok");
  const auto before = answer([](response& res) { return res.close().field("X", "y").text("ok"); });
  const auto behind = answer([](response& res) { return res.field("X", "y").close().text("ok"); });
  CHECK(before.bytes == wanted);
  CHECK(behind.bytes == wanted);
  CHECK_FALSE(before.keeps_alive);
  CHECK_FALSE(behind.keeps_alive);
}

TEST_CASE("Every status has its line, and its phrase as body where a body is allowed") {
  int with_phrase = 0;
  for (int code = 100; code <= 999; ++code) {
    CAPTURE(code);
    const std::string phrase(nen::reason_phrase(static_cast<status>(code)));
    with_phrase += phrase.empty() ? 0 : 1;
    const std::string line = std::to_string(code) + " " + phrase;
    const auto a = answer([&](response& res) { return res.status(code); });
    CHECK(a.code == static_cast<status>(code));
    CHECK_FALSE(a.was_replaced);
    if (code < 200 || code == 204 || code == 304) {
      CHECK(a.bytes == message(line, ""));
    } else if (code != 205) {
      CHECK(a.bytes == message(line, text_lines(std::to_string(phrase.size())), phrase));
    }
    const auto r = receive(a.bytes);
    REQUIRE(r);
    CHECK(r->code == code);
    CHECK(r->phrase == phrase);
  }
  CHECK(with_phrase == 47);
}

TEST_CASE("205 has an empty body, RFC 9110 §15.3.6") {
  static constexpr handler handlers[] = {
      [](response& res) { return res.status(205); },
      [](response& res) { return res.set_status(status::reset_content).text("body"); },
      [](response& res) { return res.set_status(status::reset_content).send_static("a/b", "c"); },
      [](response& res) {
        return res.set_status(status::reset_content).begin("a/b").write("c").finish();
      },
  };
  for (const handler run : handlers) {
    const auto r = receive(answer(run).bytes);
    REQUIRE(r);
    CHECK(r->code == 205);
    CHECK(r->value("Content-Length") == "0");
    CHECK(r->body.empty());
  }
}

TEST_CASE("A status without a body drops what the handler wrote, and has no Content-Length") {
  const int code = GENERATE(100, 101, 103, 199, 204, 304);
  const auto wanted = message(
      std::to_string(code) + " " + std::string(nen::reason_phrase(static_cast<status>(code))), "");
  for (const handler run : {
           handler{[](response& res) { return res.text("body"); }},
           handler{[](response& res) { return res.send_static("text/css", "p{}"); }},
           handler{[](response& res) { return res.begin("text/csv").write("a,b").finish(); }},
       }) {
    const auto a = answer([&](response& res) {
      res.set_status(static_cast<status>(code));
      return run(res);
    });
    CHECK(a.bytes == wanted);
    CHECK_FALSE(a.was_replaced);
  }
}

TEST_CASE("set_status behind fields moves them, whatever the phrases' lengths") {
  constexpr status codes[] = {status::ok, status::gone, status::non_authoritative_information,
                              status::request_header_fields_too_large, status{599}};
  for (const status first : codes) {
    for (const status second : codes) {
      for (const status third : codes) {
        CAPTURE(static_cast<int>(first), static_cast<int>(second), static_cast<int>(third));
        const auto a = answer([&](response& res) {
          res.set_status(first).field("X-First", "1");
          res.set_status(second).field("X-Second", "22");
          return res.set_status(third).text("body");
        });
        const std::string line =
            std::to_string(static_cast<int>(third)) + " " + std::string(nen::reason_phrase(third));
        CHECK(a.bytes == message(line, "X-First: 1\r\nX-Second: 22\r\n" + text_lines("4"), "body"));
        CHECK(a.code == third);
      }
    }
  }
}

TEST_CASE("redirect takes its code and keeps the fields set before") {
  const auto a = answer([](response& res) {
    return res.field("X", "y").redirect("https://a/b?c#d", status::permanent_redirect);
  });
  CHECK(a.bytes == message("308 Permanent Redirect",
                           "X: y\r\nLocation: https://a/b?c#d\r\nContent-Length: 0\r\n"));
}

TEST_CASE("Fields keep their order and their bytes") {
  const auto a = answer([](response& res) {
    return res.field("Set-Cookie", "a=1")
        .field("set-cookie", "b=2")
        .field("X-Empty", "")
        .field("!#$%&'*+-.^_`|~09azAZ", "\ttab, space and \xc3\xa9 ")
        .text("");
  });
  CHECK(a.bytes == message("200 OK",
                           "Set-Cookie: a=1\r\nset-cookie: b=2\r\nX-Empty: \r\n"
                           "!#$%&'*+-.^_`|~09azAZ: \ttab, space and \xc3\xa9 \r\n" +
                               text_lines("0")));
}

TEST_CASE("A client reads the length behind its spaces") {
  for (const std::size_t size : {0U, 9U, 10U, 12345U}) {
    const std::string body(size, 'x');
    const auto a = answer(
        [&](response& res) { return res.begin("text/plain").write(body).write("").finish(); });
    const auto r = receive(a.bytes);
    REQUIRE(r);
    CHECK(r->value("Content-Length") == std::to_string(size));
    CHECK(r->body == body);
  }
}

TEST_CASE("A static body is not copied") {
  static constexpr std::string_view file = "from where it is";
  const nen::response_defaults defaults{nen::test::common_lines};
  nen::test::memory_output out(1024, 4);  // a limit that is for copied bodies only
  {
    response res(out, defaults, {});
    static_cast<void>(res.send_static("text/plain", file));
    CHECK_FALSE(res.was_replaced());
  }
  CHECK(out.refers_to(file));
  {
    response res(out, defaults, {});
    static_cast<void>(res.text("next"));
  }
  CHECK(out.text() ==
        message("200 OK", "Content-Type: text/plain\r\nContent-Length: 16\r\n", file) +
            message("200 OK", text_lines("4"), "next"));
}

TEST_CASE("Only a response makes a reply, and a response is not copied") {
  STATIC_REQUIRE_FALSE(std::is_default_constructible_v<nen::reply>);
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<response>);
  STATIC_REQUIRE_FALSE(std::is_copy_assignable_v<response>);
}
