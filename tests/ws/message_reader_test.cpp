// message_reader: text that is not UTF-8 is refused with its first wrong byte, closes are checked,
// and where the bytes are cut changes nothing.
#include <nen/ws/message_reader.hpp>

#include <random>
#include <string>
#include <string_view>

#include "support/catch.hpp"
#include "ws/frames.hpp"

namespace {

using nen::test::frame;
using nen::ws::close_code;
using nen::ws::frame_rules;
using nen::ws::message_event;
using nen::ws::message_event_kind;
using nen::ws::message_reader;
using noting = nen::test::noting_message_reader;

std::string read_cut(std::string_view input, const frame_rules& rules = {}) {
  return nen::test::read_cut<noting>(input, rules);
}

std::size_t bytes_taken(std::string_view input, const frame_rules& rules = {}) {
  return nen::test::bytes_taken<noting>(input, rules);
}

std::string close_frame(unsigned code, std::string_view reason = {}) {
  return frame(0x88, std::string{static_cast<char>(code >> 8), static_cast<char>(code & 255)} +
                         std::string(reason));
}

}  // namespace

TEST_CASE("messages, pings, pongs and a close are told apart", "[message_reader]") {
  CHECK(read_cut(frame(0x81, "h\xc3\xa9llo") + frame(0x82, "\xff") + frame(0x89, "1") +
                 frame(0x8a, "\xff") + close_frame(1000, "bye")) ==
        "text(h\xc3\xa9llo) binary(\xff) ping(1) pong(\xff) close(1000 bye) ");
  CHECK(read_cut(frame(0x88)) == "close(1005 ) ");
  CHECK(read_cut(frame(0x01, "a") + frame(0x89) + frame(0x80, "b")) == "ping() text(ab) ");
}

TEST_CASE("text that is not UTF-8 is refused with its first wrong byte", "[message_reader]") {
  const struct {
    const char* what;
    std::string input;
    std::size_t taken;
  } cases[] = {
      {"a wrong byte",
       frame(0x81,
             "ab\xff"
             "cd"),
       6 + 2},
      {"a surrogate", frame(0x81, "\xed\xa0\x80"), 6 + 1},
      {"a wrong byte in a later frame", frame(0x01, "abc") + frame(0x80, "d\xff"), 9 + 6 + 1},
      {"a wrong byte in a frame in between", frame(0x01, "abc") + frame(0x00, "\x80"), 9 + 6},
      {"a character that is cut by frames and goes on wrong",
       frame(0x01, "\xe2\x82") + frame(0x80, "("), 8 + 6},
      {"the same with a ping in between",
       frame(0x01, "\xe2\x82") + frame(0x89, "\xac") + frame(0x80, "("), 8 + 7 + 6},
      {"a message that ends inside a character", frame(0x81, "ab\xe2\x82"), 6 + 3},
      {"one that ends so in its last frame", frame(0x01, "\xe2") + frame(0x80, "\x82"), 7 + 6},
      {"one whose last frame is empty", frame(0x01, "\xe2\x82") + frame(0x80), 8 + 5},
      {"a wrong byte although the message is not over", frame(0x01, "\xc0"), 6},
      {"a wrong byte in a frame that is not complete",
       frame(0x81,
             "ab\xff"
             "cd")
           .substr(0, 9),
       8},
  };
  for (const auto& c : cases) {
    INFO(c.what);
    CHECK(bytes_taken(c.input) == c.taken);
    CHECK_THAT(read_cut(c.input), nen::test::EndsWith("1007"));
  }
}

TEST_CASE("a character may be cut by frames", "[message_reader]") {
  const std::string smile = "\xf0\x9f\x98\x80";
  std::string input;
  for (std::size_t i = 0; i < 4; ++i) {
    input += frame((i == 0 ? 0x01 : 0x00) | (i == 3 ? 0x80 : 0x00), smile.substr(i, 1));
    input += frame(0x89, "\xff");
  }
  CHECK(read_cut(input) == "ping(\xff) ping(\xff) ping(\xff) text(" + smile + ") ping(\xff) ");
}

TEST_CASE("each message begins a text of its own", "[message_reader]") {
  CHECK(read_cut(frame(0x81, "a") + frame(0x82, "\xe2") + frame(0x81, "b")) ==
        "text(a) binary(\xe2) text(b) ");
  CHECK(read_cut(frame(0x81, "\xe2\x82\xac") + frame(0x81, "\x80")) == "text(\xe2\x82\xac) 1007");
}

TEST_CASE("a close frame's payload is checked", "[message_reader]") {
  for (unsigned code = 0; code <= 0xffff; ++code) {
    // RFC 6455 §7.4.1, §7.4.2 and the IANA registry.
    const bool is_valid =
        (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
        (code >= 3000 && code < 5000);
    const std::string found = nen::test::read_whole<noting>(close_frame(code, "x"));
    const std::string wanted = is_valid ? "close(" + std::to_string(code) + " x) " : "1002";
    if (found != wanted) FAIL(code << ": " << found);
  }
  CHECK(read_cut(close_frame(1000)) == "close(1000 ) ");
  CHECK(read_cut(close_frame(4999, "\xe2\x82\xac")) == "close(4999 \xe2\x82\xac) ");
  CHECK(read_cut(close_frame(1000, std::string(123, 'r'))) ==
        "close(1000 " + std::string(123, 'r') + ") ");
  CHECK(read_cut(close_frame(1000, "\xe2\x82")) == "1007");
  CHECK(read_cut(close_frame(1000, "ok\xff")) == "1007");
  CHECK(read_cut(frame(0x88, "\x03")) == "1002");
  CHECK(read_cut(close_frame(1005)) == "1002");
  CHECK(read_cut(close_frame(1006)) == "1002");
  CHECK(read_cut(close_frame(1015)) == "1002");
}

TEST_CASE("compressed text is checked when it is inflated", "[message_reader]") {
  const frame_rules rules = {.compression = true};
  CHECK(read_cut(frame(0xc1, "\xff\xfe"), rules) == "text+rsv1(\xff\xfe) ");
  message_reader reader{};
  CHECK(reader.check_inflated("a\xe2\x82", false));
  CHECK(reader.check_inflated("\xac", true));
  CHECK(reader.check_inflated("next", true));
  CHECK(reader.check_inflated("\xe2", false));
  CHECK(!reader.check_inflated("", true));
  message_reader other{};
  CHECK(!other.check_inflated("\xff", false));
}

TEST_CASE("what was refused stays refused", "[message_reader]") {
  for (const std::string& wrong : {frame(0x81, "\xff"), close_frame(999), frame(0x83)}) {
    std::string input = wrong + frame(0x81, "a");
    message_reader reader{};
    char* at = input.data();
    char* const end = at + input.size();
    const message_event first = reader.next(at, end, {}, nullptr);
    CHECK(first.kind == message_event_kind::rejected);
    const message_event second = reader.next(at, end, {}, nullptr);
    CHECK(second.kind == message_event_kind::rejected);
    CHECK(second.code == first.code);
  }
}

TEST_CASE("a whole message is one event that is its bytes in place", "[message_reader]") {
  std::string input = frame(0x81, "Hello");
  message_reader reader{};
  char* at = input.data();
  const message_event event = reader.next(at, at + input.size(), {}, nullptr);
  CHECK(event.kind == message_event_kind::data);
  CHECK(event.is_first);
  CHECK(event.is_last);
  CHECK(event.bytes.data() == input.data() + 6);
  CHECK(event.bytes == "Hello");
}

TEST_CASE("random conversations end the same however they are cut", "[message_reader]") {
  std::mt19937 random(7);
  const std::string_view texts[] = {"", "a", "caf\xc3\xa9", "\xf0\x9f\x98\x80\xf0\x9f\x98\x80",
                                    "some longer text, all of it ASCII, for the quick way"};
  for (int round = 0; round < 200; ++round) {
    std::string input;
    for (int message = 0; message < 3; ++message) {
      const std::string_view text = texts[random() % std::size(texts)];
      const std::size_t cut = random() % (text.size() + 1);
      const int opcode = random() % 3 == 0 ? 2 : 1;
      input += frame(opcode, text.substr(0, cut));
      if (random() % 2 == 0) input += frame(0x89, text);
      input += frame(0x80, text.substr(cut));
    }
    if (round % 2 == 0) input[random() % input.size()] = static_cast<char>(random());
    const std::string found = read_cut(input);
    if (found != nen::test::read_whole<noting>(input)) FAIL("round " << round << ": " << found);
  }
  SUCCEED();
}
