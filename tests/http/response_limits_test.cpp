// Answers that cannot be written become a 500, every block size gives the same bytes, and starting
// over leaves nothing of what was written before.
#include "http/answering.hpp"
#include "support/catch.hpp"
#include "support/death.hpp"

#include <nen/http/response.hpp>
#include <string>
#include <string_view>

namespace {

using nen::response;
using nen::status;
using nen::test::answer;
using nen::test::circumstances;
using nen::test::dies;
using nen::test::message;
using nen::test::receive;
using nen::test::replacement;

template <class Handler>
void check_replaced(const circumstances& how, Handler handler) {
  const auto a = answer(how, handler);
  CHECK(a.bytes == replacement(!how.framing.without_body));
  CHECK(a.was_replaced);
  CHECK(a.code == status::internal_server_error);
  CHECK_FALSE(a.keeps_alive);
}

template <class Handler>
void check_replaced(Handler handler) {
  check_replaced(circumstances{}, handler);
}

/// An answer of many parts, of about 1 KiB.
nen::reply many_parts(response& res) {
  res.field("X-First", "first");
  res.set_status(status::request_header_fields_too_large);
  for (const char* name : {"X-A", "X-B", "X-C", "X-D"}) res.field(name, std::string(40, 'v'));
  res.set_status(status::created);
  res.begin("text/plain");
  for (int i = 0; i < 100; ++i) res.write(std::to_string(i) + ", ");
  return res.write(std::string(300, '.')).finish();
}

}  // namespace

TEST_CASE("A field that could end its line, or frame the message, makes the answer a 500") {
  struct row {
    std::string name, value;
  };
  const row rows[] = {
      {"X", "a\r\nSet-Cookie: b"},
      {"X", "a\nb"},
      {"X", "a\r"},
      {"X", std::string("a\0b", 3)},
      {"X", "\x01"},
      {"X", "\x1f"},
      {"X", "\x7f"},
      {"", "a"},
      {"X Y", "a"},
      {"X:", "a"},
      {"X\r\nY", "a"},
      {"X\t", "a"},
      {std::string("X\0", 2), "a"},
      {"\xc3\xa9", "a"},
      {"(X)", "a"},
      {"Content-Length", "5"},
      {"content-length", "5"},
      {"Transfer-Encoding", "chunked"},
      {"tRANSFER-eNCODING", "chunked"},
      {"Connection", "close"},
      {"CONNECTION", "keep-alive"},
  };
  for (const row& r : rows) {
    CAPTURE(r.name, r.value);
    check_replaced([&](response& res) { return res.field(r.name, r.value).text("no"); });
    check_replaced([&](response& res) {
      return res.field("X-Good", "1").field(r.name, r.value).field("X-Good", "2").status(404);
    });
    check_replaced({.framing = {.without_body = true}},
                   [&](response& res) { return res.field(r.name, r.value).text("no"); });
  }
}

TEST_CASE("Content-Type is written by the response alone") {
  check_replaced([](response& res) { return res.field("Content-Type", "text/css").text("no"); });
  check_replaced([](response& res) { return res.field("content-type", "a/b").bytes("no"); });
}

TEST_CASE("A content type or a location that could end its line makes the answer a 500") {
  for (const std::string_view bad : {"a\r\nX: y", "a\nb", "\r", "a\x7f"}) {
    CAPTURE(bad);
    check_replaced([&](response& res) { return res.send(bad, "no"); });
    check_replaced([&](response& res) { return res.send_static(bad, "no"); });
    check_replaced([&](response& res) { return res.begin(bad).write("no").finish(); });
    check_replaced([&](response& res) { return res.redirect(bad); });
    check_replaced({.framing = {.without_body = true}},
                   [&](response& res) { return res.send(bad, "no"); });
  }
}

TEST_CASE("A head that is too long for a block makes the answer a 500") {
  const circumstances small{.block_bytes = 1024};
  const std::string long_value(1000, 'v');
  check_replaced(small, [&](response& res) { return res.field("X", long_value).text("no"); });
  check_replaced(small, [&](response& res) { return res.send(long_value, "no"); });
  check_replaced(small, [&](response& res) { return res.redirect(long_value); });
  check_replaced(small, [&](response& res) {
    for (int i = 0; i < 100; ++i) res.field("X-Many", "of them");
    return res.begin("a/b").write("no").finish();
  });
  check_replaced(
      small, [&](response& res) { return res.field("X", std::string(70'000, 'v')).text("no"); });

  SECTION("when only the longer phrase of a later status does not fit") {
    const std::size_t opening = message("200 OK", "").size() - 2;
    const std::string fits(1024 - opening - std::string_view("X: \r\n").size(), 'v');
    check_replaced(small, [&](response& res) {
      return res.field("X", fits).set_status(status::not_found).text("no");
    });
  }
}

TEST_CASE("A body may have response_bytes_max bytes and not one more") {
  const std::size_t limit = GENERATE(as<std::size_t>{}, 64, 1000, 1024, 1025, 5000);
  const std::size_t block = GENERATE(as<std::size_t>{}, 1024, 4096);
  CAPTURE(limit, block);
  const circumstances how{.block_bytes = block, .body_bytes_max = limit};
  const std::string most(limit, 'x');
  const auto whole = answer(how, [&](response& res) { return res.text(most); });
  CHECK_FALSE(whole.was_replaced);
  CHECK(receive(whole.bytes).value().body == most);
  const auto parts = answer(how, [&](response& res) {
    return res.begin("a/b").write(most.substr(0, limit / 2)).write(most.substr(limit / 2)).finish();
  });
  CHECK_FALSE(parts.was_replaced);
  CHECK(receive(parts.bytes).value().body == most);

  check_replaced(how, [&](response& res) { return res.text(most + "x"); });
  check_replaced(how,
                 [&](response& res) { return res.begin("a/b").write(most).write("x").finish(); });
  check_replaced(how, [&](response& res) {
    return res.begin("a/b").write(most).write("x").write("").write("y").finish();
  });
}

TEST_CASE("HEAD for a body that is too long is answered like GET") {
  const circumstances how{.framing = {.without_body = true}, .body_bytes_max = 100};
  const std::string too_long(101, 'x');
  check_replaced(how, [&](response& res) { return res.text(too_long); });
  check_replaced(how, [&](response& res) { return res.begin("a/b").write(too_long).finish(); });
}

TEST_CASE("Every block size gives the same bytes") {
  const std::string expected = answer({.block_bytes = 100'000}, many_parts).bytes;
  REQUIRE(receive(expected));
  std::size_t written = 0;
  for (std::size_t block = 300; block <= expected.size() + 10; ++block) {
    CAPTURE(block);
    const auto a = answer({.block_bytes = block}, many_parts);
    if (a.was_replaced) {
      CHECK(a.bytes == replacement());
      CHECK(written == 0);  // what fits one block fits every longer one
    } else {
      ++written;
      CHECK(a.bytes == expected);
    }
  }
  CHECK(written > 500);
}

TEST_CASE("Every place in a block gives the same bytes") {
  const std::string expected = answer({.block_bytes = 100'000}, many_parts).bytes;
  const std::string long_text(700, 't');
  const std::string expected_text =
      answer([&](response& res) { return res.text(long_text); }).bytes;
  const std::string filler(1024, 'f');
  for (std::size_t before = 1; before <= filler.size(); ++before) {
    CAPTURE(before);
    const circumstances how{.block_bytes = 1024,
                            .before = std::string_view(filler).substr(0, before)};
    CHECK(answer(how, many_parts).bytes == expected);
    CHECK(answer(how, [&](response& res) { return res.text(long_text); }).bytes == expected_text);
    CHECK(answer(how, [&](response& res) { return res.field("X", "a\n").text(long_text); }).bytes ==
          replacement());
    CHECK(answer(how, [&](response& res) { return res.text(filler + filler); }).bytes.size() ==
          expected_text.size() - long_text.size() + 1 + 2048);
  }
}

TEST_CASE("Starting over leaves nothing behind, at whatever stage") {
  static constexpr std::string_view file = "static";
  const int stage = GENERATE(range(0, 9));
  const std::size_t before = GENERATE(as<std::size_t>{}, 0, 1, 1000, 1023, 1024);
  CAPTURE(stage, before);
  const std::string filler(before, 'f');
  const auto a = answer({.block_bytes = 1024, .before = filler}, [&](response& res) {
    if (stage >= 1) res.set_status(status::not_found);
    if (stage >= 2) res.field("X", std::string(500, 'v'));
    if (stage >= 3) res.set_status(status::request_header_fields_too_large);
    if (stage == 4) res.field("X", "\n");
    if (stage == 5) res.begin("text/csv");
    if (stage == 6) res.begin("text/csv").write(std::string(5000, 'w'));
    if (stage == 7) static_cast<void>(res.begin("text/csv").write("w").finish());
    if (stage == 8) static_cast<void>(res.send_static("text/css", file));
    res.start_over();
    CHECK_FALSE(res.finished());
    CHECK(res.code() == status::ok);
    return res.field("Y", "z").begin("a/b").write("anew").finish();
  });
  CHECK(a.bytes == message("200 OK",
                           "Y: z\r\nContent-Type: a/b\r\nContent-Length:                    4\r\n",
                           "anew"));
  CHECK_FALSE(a.was_replaced);
}

TEST_CASE("A programmer's error stops the process") {
  struct row {
    const char* name;
    nen::reply (*run)(response&);
  };
  constexpr row rows[] = {
      {"write before begin", [](response& res) { return res.write("a").text("b"); }},
      {"finish before begin", [](response& res) { return res.finish(); }},
      {"begin twice", [](response& res) { return res.begin("a/b").begin("a/b").finish(); }},
      {"text behind begin", [](response& res) { return res.begin("a/b").text("b"); }},
      {"field behind begin",
       [](response& res) { return res.begin("a/b").field("X", "y").finish(); }},
      {"status behind begin",
       [](response& res) { return res.begin("a/b").set_status(status::gone).finish(); }},
      {"two replies",
       [](response& res) { return static_cast<void>(res.text("a")), res.text("b"); }},
      {"write behind finish",
       [](response& res) {
         static_cast<void>(res.begin("a/b").finish());
         return res.write("c").finish();
       }},
      {"finish twice",
       [](response& res) { return static_cast<void>(res.begin("a/b").finish()), res.finish(); }},
      {"field behind a reply",
       [](response& res) {
         return static_cast<void>(res.text("a")), res.field("X", "y").text("");
       }},
      {"two replies, the first replaced",
       [](response& res) { return static_cast<void>(res.redirect("\n")), res.text("b"); }},
      {"status of two digits", [](response& res) { return res.status(99); }},
      {"status of four digits", [](response& res) { return res.status(1000); }},
      {"status zero", [](response& res) { return res.status(0); }},
      {"negative status", [](response& res) { return res.status(-1); }},
      {"status that is 200 in its low 16 bits", [](response& res) { return res.status(65'736); }},
  };
  for (const row& r : rows) {
    CAPTURE(r.name);
    const auto d = dies([&] { answer(r.run); });
    CHECK(d.aborted);
    CHECK_THAT(d.output, nen::test::ContainsSubstring("response."));
  }
  CHECK_FALSE(dies([&] { answer(many_parts); }).aborted);
}
