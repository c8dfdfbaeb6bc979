// The cursor over blocks: room in one block for a head, a body over several, and taking it all
// back.
#include "support/catch.hpp"
#include "support/death.hpp"
#include "support/memory_output.hpp"

#include <nen/core/output.hpp>
#include <string>
#include <string_view>
#include <type_traits>

namespace {

using nen::test::ContainsSubstring;
using nen::test::dies;
using nen::test::memory_output;

/// Writes `head` as a response does: room first, then the bytes.
bool put_head(nen::output& out, std::string_view head) {
  char* const at = out.room(head.size());
  if (at == nullptr) return false;
  head.copy(at, head.size());
  out.advance_to(at + head.size());
  return true;
}

std::string letters(std::size_t count) {
  std::string text(count, ' ');
  for (std::size_t i = 0; i < count; ++i) text[i] = static_cast<char>('a' + i % 26);
  return text;
}

}  // namespace

TEST_CASE("An output without a byte owns no block") {
  memory_output out;
  out.begin_message();
  CHECK(out.blocks() == 0);
  CHECK(out.text().empty());
  CHECK(out.append({}));
  out.attach({});
  CHECK(out.blocks() == 0);
}

TEST_CASE("Room is given in one block and the bytes stay where they were written") {
  memory_output out(64);
  out.begin_message();
  char* const first = out.room(10);
  REQUIRE(first != nullptr);
  CHECK(out.room(64) == first);
  std::string_view("0123456789").copy(first, 10);
  out.advance_to(first + 10);
  CHECK(out.cursor() == first + 10);
  CHECK(out.message() == first);
  CHECK(out.room(54) == first + 10);
  CHECK(out.text() == "0123456789");
  CHECK(out.blocks() == 1);
}

TEST_CASE("A head that does not fit behind another message moves to a block of its own") {
  for (std::size_t before = 0; before <= 64; ++before) {
    CAPTURE(before);
    memory_output out(64);
    out.begin_message();
    if (before != 0) REQUIRE(put_head(out, letters(before)));
    out.begin_message();
    REQUIRE(put_head(out, "HEAD "));
    REQUIRE(put_head(out, letters(30)));
    CHECK(out.text() == letters(before) + "HEAD " + letters(30));
    CHECK(out.blocks() == (before > 64 - 35 ? 2U : 1U));
    CHECK(std::string_view(out.message(), 5) == "HEAD ");
  }
}

TEST_CASE("A head that is longer than a block is refused and nothing of it is lost") {
  memory_output out(64);
  out.begin_message();
  REQUIRE(put_head(out, letters(60)));
  CHECK(out.room(5) == nullptr);
  CHECK(out.text() == letters(60));
  CHECK(out.blocks() == 1);
  REQUIRE(out.room(4) != nullptr);
  CHECK(put_head(out, "tail"));
  CHECK(out.text() == letters(60) + "tail");
  CHECK(out.room(1) == nullptr);
  CHECK(out.room(0) != nullptr);
}

TEST_CASE("A body goes on through as many blocks as it takes") {
  for (std::size_t block = 1; block <= 40; ++block) {
    CAPTURE(block);
    memory_output out(block, 100);
    out.begin_message();
    REQUIRE(put_head(out, "H"));
    CHECK(out.append(letters(37)));
    CHECK(out.append({}));
    CHECK(out.append(letters(63)));
    CHECK(out.text() == "H" + letters(37) + letters(63));
    CHECK(out.blocks() == (101 + block - 1) / block);
  }
}

TEST_CASE("append takes the longest body and not one byte more") {
  const std::size_t block = GENERATE(as<std::size_t>{}, 16, 64, 100, 128);
  CAPTURE(block);
  memory_output out(block, 100);
  out.begin_message();
  REQUIRE(put_head(out, "head"));
  CHECK_FALSE(out.append(letters(101)));
  CHECK(out.text() == "head");
  CHECK(out.append(letters(99)));
  CHECK_FALSE(out.append("xy"));
  CHECK(out.append("x"));
  CHECK_FALSE(out.append("y"));
  CHECK(out.append({}));
  CHECK(out.text() == "head" + letters(99) + "x");
}

TEST_CASE("Every message may have the longest body") {
  memory_output out(32, 50);
  std::string all;
  for (const std::size_t size : {50U, 30U, 50U, 0U, 50U, 1U}) {
    out.begin_message();
    REQUIRE(put_head(out, "head"));
    REQUIRE(out.append(letters(size)));
    REQUIRE_FALSE(out.append(letters(51 - size)));
    all += "head" + letters(size);
  }
  CHECK(out.text() == all);
}

TEST_CASE("Attached bytes are sent from where they are, and the next message begins behind them") {
  static constexpr std::string_view file = "static bytes";
  memory_output out(64);
  out.begin_message();
  REQUIRE(put_head(out, "one "));
  out.attach(file);
  CHECK(out.refers_to(file));
  CHECK(out.text() == "one static bytes");
  out.begin_message();
  REQUIRE(put_head(out, " two"));
  CHECK(out.text() == "one static bytes two");
  CHECK(out.blocks() == 2);
}

TEST_CASE("Restarting takes back this message and nothing of the ones before") {
  static constexpr std::string_view file = "static bytes";
  const std::size_t before = GENERATE(as<std::size_t>{}, 0, 1, 20, 31, 32);
  const int kind = GENERATE(0, 1, 2, 3);
  CAPTURE(before, kind);
  memory_output out(32, 200);
  std::string kept;
  if (before != 0) {
    out.begin_message();
    kept = letters(before);
    REQUIRE(put_head(out, kept));
  }
  const std::size_t blocks = out.blocks();
  out.begin_message();
  if (kind >= 1) REQUIRE(put_head(out, "half a head"));
  if (kind == 2) REQUIRE(out.append(letters(200)));
  if (kind == 3) out.attach(file);
  out.restart_message();
  CHECK(out.text() == kept);
  CHECK(out.blocks() == blocks);
  CHECK_FALSE(out.refers_to(file));

  REQUIRE(put_head(out, "again "));
  CHECK(out.append(letters(200)));  // the limit counts anew as well
  CHECK_FALSE(out.append("x"));
  CHECK(out.text() == kept + "again " + letters(200));
}

TEST_CASE("Restarting twice is the same as once") {
  memory_output out(32);
  out.begin_message();
  REQUIRE(put_head(out, "kept"));
  out.begin_message();
  REQUIRE(put_head(out, letters(30)));
  out.restart_message();
  out.restart_message();
  REQUIRE(put_head(out, " new"));
  CHECK(out.text() == "kept new");
  CHECK(out.blocks() == 1);
}

TEST_CASE("shift_cursor takes back bytes within the message") {
  memory_output out(32);
  out.begin_message();
  REQUIRE(put_head(out, "abcdef"));
  out.shift_cursor(out.message() + 2);
  REQUIRE(put_head(out, "X"));
  CHECK(out.text() == "abX");
}

TEST_CASE("The cursor cannot leave its block or its message") {
  memory_output out(32);
  out.begin_message();
  REQUIRE(put_head(out, letters(20)));
  out.begin_message();
  REQUIRE(put_head(out, "abc"));
  char* const at = out.cursor();
  const auto beyond = dies([&] { out.advance_to(at + 10); });
  CHECK(beyond.aborted);
  CHECK_THAT(beyond.output, ContainsSubstring("output.hpp"));
  CHECK(dies([&] { out.advance_to(at - 1); }).aborted);
  CHECK(dies([&] { out.shift_cursor(at - 4); }).aborted);
  CHECK(dies([&] { out.shift_cursor(at + 10); }).aborted);
  CHECK_FALSE(dies([&] { out.advance_to(at + 9); }).aborted);
  CHECK_FALSE(dies([&] { out.shift_cursor(at - 3); }).aborted);
}

TEST_CASE("An output is not copied") {
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<memory_output>);
  STATIC_REQUIRE_FALSE(std::is_copy_assignable_v<memory_output>);
}
