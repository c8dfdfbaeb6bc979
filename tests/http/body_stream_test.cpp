// body_stream: the bytes of each chunk, what fits and what does not, and what the producer said.
#include <nen/http/body_stream.hpp>

#include <cstdio>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/death.hpp"
#include "support/memory_output.hpp"

namespace {

using nen::body_stream;
using step = nen::body_stream::next_step;
using nen::test::memory_output;

constexpr std::size_t longest = 2048;

std::string letters(std::size_t size) {
  std::string s(size, 0);
  for (std::size_t i = 0; i < size; ++i) s[i] = static_cast<char>('a' + i % 26);
  return s;
}

std::string hex(std::size_t n) {
  char text[20];
  std::snprintf(text, sizeof text, "%zx", n);
  return text;
}

std::string chunk(std::string_view bytes) {
  return hex(bytes.size()) + "\r\n" + std::string(bytes) + "\r\n";
}

/// An output in the middle of a message.
class place {
 public:
  explicit place(std::size_t block_bytes = 1024) : out_(block_bytes, longest) {
    out_.begin_message();
  }
  operator nen::output&() { return out_; }
  bool append(std::string_view bytes) { return out_.append(bytes); }
  std::string text() const { return out_.text(); }

 private:
  memory_output out_;
};

}  // namespace

TEST_CASE("each write is one chunk of exactly its bytes, whatever its size", "[body_stream]") {
  for (std::size_t size = 1; size <= longest - 32; ++size) {
    for (const std::size_t block : {std::size_t{1024}, std::size_t{4096}}) {
      place out(block);
      body_stream body(out, true);
      const std::string text = letters(size);
      const bool written = body.write(text);
      if (!written || out.text() != chunk(text)) FAIL(size << " bytes in blocks of " << block);
      if (body.step() != step::more) FAIL("it wrote, and is to be called again");
    }
  }
  SUCCEED();
}

TEST_CASE("the parts of a write are one chunk", "[body_stream]") {
  place out;
  body_stream body(out, true);
  CHECK(body.write({"ab", "", "cde", letters(20)}));
  CHECK(out.text() == "19\r\nabcde" + letters(20) + "\r\n");
}

TEST_CASE("nothing is written for nothing: an empty chunk would be the last", "[body_stream]") {
  place out;
  body_stream body(out, true);
  CHECK(body.write(""));
  CHECK(body.write({}));
  CHECK(body.write({"", ""}));
  CHECK(out.text().empty());
  CHECK(body.step() == step::wait);
}

TEST_CASE("what does not fit is not written at all", "[body_stream]") {
  for (const std::size_t size : {1u, 100u, 700u, 1000u, 1017u, 1024u, 2016u}) {
    place out;
    body_stream body(out, true);
    std::string all;
    while (body.write({letters(size / 2), letters(size - size / 2)})) {
      all += chunk(letters(size / 2) + letters(size - size / 2));
      REQUIRE(all.size() <= longest);
    }
    CHECK(out.text() == all);
    CHECK(all.size() + size + 12 > longest);
    CHECK(body.step() == step::more);
    CHECK(body.write("x") == (all.size() + 13 <= longest));  // something shorter may still fit
  }
}

TEST_CASE("a write that fails alone asks to be called again", "[body_stream]") {
  place out;
  (void)out.append(letters(longest - 5));
  body_stream body(out, true);
  CHECK(!body.write("x"));
  CHECK(body.step() == step::more);
}

TEST_CASE("a body that is not chunked is its bytes", "[body_stream]") {
  place out;
  body_stream body(out, false);
  CHECK(body.write("abc"));
  CHECK(body.write({"de", "f"}));
  CHECK(body.finish({{"X-Sum", "1"}}));
  CHECK(out.text() == "abcdef");
  CHECK(body.step() == step::finished);
}

TEST_CASE("the last chunk ends the body, and carries trailers", "[body_stream]") {
  SECTION("alone") {
    place out;
    body_stream body(out, true);
    CHECK(body.finish());
    CHECK(out.text() == "0\r\n\r\n");
    CHECK(body.step() == step::finished);
  }
  SECTION("with trailers") {
    place out;
    body_stream body(out, true);
    CHECK(body.write("abc"));
    CHECK(body.finish({{"X-Sum", "1"}, {"X-Empty", ""}}));
    CHECK(out.text() == "3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-Empty: \r\n\r\n");
  }
}

TEST_CASE("a last chunk that does not fit is not begun", "[body_stream]") {
  const std::string needed = "0\r\nX-Sum: 12345\r\n\r\n";
  for (std::size_t left = 0; left <= needed.size() + 2; ++left) {
    INFO(left << " bytes left");
    place out;
    const std::string before = letters(longest - left);
    REQUIRE(out.append(before));
    body_stream body(out, true);
    const bool fits = left >= needed.size();
    CHECK(body.finish({{"X-Sum", "12345"}}) == fits);
    CHECK(out.text() == before + (fits ? needed : ""));
    CHECK(body.step() == (fits ? step::finished : step::more));
  }
}

TEST_CASE("the producer says what it wants next", "[body_stream]") {
  place out;
  body_stream body(out, true);
  CHECK(body.step() == step::wait);  // who says nothing waits
  body.sleep(1500);
  CHECK(body.step() == step::sleep);
  CHECK(body.sleep_ms() == 1500);
  body.wait();
  CHECK(body.step() == step::wait);
  CHECK(body.write("x"));
  CHECK(body.step() == step::more);
  body.sleep(7);  // what it says behind a write counts
  CHECK(body.step() == step::sleep);
  CHECK(!body.ended());
}

TEST_CASE("in its last call a producer can write nothing", "[body_stream]") {
  body_stream body(nen::body_stream::end{});
  CHECK(body.ended());
  CHECK(!body.write("x"));
  CHECK(!body.write(""));
  CHECK(body.finish({{"X-Sum", "1"}}));
}

TEST_CASE("behind its end nothing can be said, and trailers are checked", "[body_stream]") {
  void (*const mistakes[])(body_stream&) = {
      [](body_stream& b) { (void)(b.finish() && b.write("x")); },
      [](body_stream& b) { (void)(b.finish() && b.finish()); },
      [](body_stream& b) { (void)b.finish(), b.wait(); },
      [](body_stream& b) { (void)b.finish(), b.sleep(1); },
      [](body_stream& b) {
        (void)b.finish({{"bad name", "1"}});
      },
      [](body_stream& b) {
        (void)b.finish({{"", "1"}});
      },
      [](body_stream& b) {
        (void)b.finish({{"X", "a\r\nY: b"}});
      },
  };
  for (const auto mistake : mistakes) {
    const auto death = nen::test::dies([&] {
      place out;
      body_stream body(out, true);
      mistake(body);
    });
    CHECK(death.aborted);
    CHECK_THAT(death.output, nen::test::ContainsSubstring("assertion failed"));
  }
}
