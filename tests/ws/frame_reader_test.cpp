// frame_reader against each rule of RFC 6455 §5, with the first byte that breaks it, and cut at
// each place.
#include <nen/ws/frame_reader.hpp>

#include <random>
#include <string>
#include <string_view>

#include "support/catch.hpp"
#include "ws/frames.hpp"

namespace {

using nen::test::bytes;
using nen::test::bytes_taken;
using nen::test::frame;
using nen::test::raw_frame;
using nen::test::read_cut;
using nen::test::read_whole;
using nen::ws::frame_event;
using nen::ws::frame_event_kind;
using nen::ws::frame_reader;
using nen::ws::frame_rules;
using nen::ws::side;

const frame_rules server_rules = {};
const frame_rules client_rules = {.side = side::client};
const frame_rules deflate_rules = {.compression = true};

std::string letters(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 26);
  return text;
}

}  // namespace

TEST_CASE("the frames of RFC 6455 section 5.7 are read", "[frame_reader]") {
  const std::string unmasked_hello = bytes({0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f});
  const std::string masked_hello =
      bytes({0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58});
  const std::string fragments =
      bytes({0x01, 0x03, 0x48, 0x65, 0x6c}) + bytes({0x80, 0x02, 0x6c, 0x6f});
  const std::string ping = bytes({0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f});
  const std::string pong =
      bytes({0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58});
  CHECK(read_cut(unmasked_hello, client_rules) == "text(Hello) ");
  CHECK(read_cut(masked_hello, server_rules) == "text(Hello) ");
  CHECK(read_cut(fragments, client_rules) == "text(Hello) ");
  CHECK(read_cut(ping, client_rules) == "ping(Hello) ");
  CHECK(read_cut(pong, server_rules) == "pong(Hello) ");
  const std::string b256 = letters(256);
  const std::string b64k = letters(65536);
  CHECK(read_cut(bytes({0x82, 0x7e, 0x01, 0x00}) + b256, client_rules) == "binary(" + b256 + ") ");
  CHECK(read_whole(bytes({0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0}) + b64k, client_rules) ==
        "binary(" + b64k + ") ");
}

TEST_CASE("every payload length around a change of its encoding is read", "[frame_reader]") {
  const frame_rules rules = {.message_bytes_max = 100'000};
  for (const std::size_t size :
       {0U, 1U, 2U, 3U, 4U, 5U, 124U, 125U, 126U, 127U, 128U, 255U, 256U, 300U}) {
    INFO(size << " bytes");
    const std::string payload = letters(size);
    CHECK(read_cut(frame(0x82, payload), rules) == "binary(" + payload + ") ");
  }
  for (const std::size_t size : {65534U, 65535U, 65536U, 65537U, 100'000U}) {
    INFO(size << " bytes");
    const std::string payload = letters(size);
    CHECK(read_whole(frame(0x82, payload), rules) == "binary(" + payload + ") ");
    CHECK(bytes_taken(frame(0x82, payload), rules) == frame(0x82, payload).size());
  }
}

TEST_CASE("a frame that breaks a rule is refused with the byte that breaks it", "[frame_reader]") {
  const std::string start = frame(0x01, "ab");
  const struct {
    const char* rule;
    std::string input;
    std::size_t taken;  ///< bytes before the one that is refused
    int code;
    frame_rules rules;
  } cases[] = {
      {"5.2: RSV1 has no meaning", frame(0xc1, "a"), 0, 1002, {}},
      {"5.2: RSV2 has no meaning", frame(0xa1, "a"), 0, 1002, {}},
      {"5.2: RSV3 has no meaning", frame(0x91, "a"), 0, 1002, {}},
      {"5.2: RSV2 has none with compression either", frame(0xe1, "a"), 0, 1002, deflate_rules},
      {"5.2: RSV3 has none with compression either", frame(0x91, "a"), 0, 1002, deflate_rules},
      {"7692 6.1: RSV1 on a ping", frame(0xc9), 0, 1002, deflate_rules},
      {"7692 6.1: RSV1 on a close", frame(0xc8), 0, 1002, deflate_rules},
      {"7692 6.1: RSV1 on a later frame", frame(0x41, "a") + frame(0xc0), 7, 1002, deflate_rules},
      {"5.2: opcode 3", frame(0x83), 0, 1002, {}},
      {"5.2: opcode 4", frame(0x84), 0, 1002, {}},
      {"5.2: opcode 5", frame(0x85), 0, 1002, {}},
      {"5.2: opcode 6", frame(0x86), 0, 1002, {}},
      {"5.2: opcode 7", frame(0x87), 0, 1002, {}},
      {"5.2: opcode 11", frame(0x8b), 0, 1002, {}},
      {"5.2: opcode 12", frame(0x8c), 0, 1002, {}},
      {"5.2: opcode 13", frame(0x8d), 0, 1002, {}},
      {"5.2: opcode 14", frame(0x8e), 0, 1002, {}},
      {"5.2: opcode 15", frame(0x8f), 0, 1002, {}},
      {"5.1: a client that does not mask", frame(0x81, "a", false), 1, 1002, {}},
      {"5.1: a client that does not mask nothing", frame(0x81, "", false), 1, 1002, {}},
      {"5.1: a client that does not mask a ping", frame(0x89, "", false), 1, 1002, {}},
      {"5.1: a server that masks", frame(0x81, "a"), 1, 1002, client_rules},
      {"5.1: a server that masks a close", frame(0x88), 1, 1002, client_rules},
      {"5.5: a ping in fragments", frame(0x09), 0, 1002, {}},
      {"5.5: a pong in fragments", frame(0x0a), 0, 1002, {}},
      {"5.5: a close in fragments", frame(0x08), 0, 1002, {}},
      {"5.5: a ping of 126 bytes", frame(0x89, letters(126)), 1, 1002, {}},
      {"5.5: a pong of 65536 bytes", frame(0x8a, letters(65536)), 1, 1002, {}},
      {"5.5: a close of 126 bytes", frame(0x88, letters(126)), 1, 1002, {}},
      {"5.5: a ping with a longer length than needed", raw_frame(0x89, true, 2, "a"), 1, 1002, {}},
      {"5.5.1: a close of one byte", frame(0x88, "\x03"), 1, 1002, {}},
      {"5.2: 0 in two bytes", raw_frame(0x82, true, 2, ""), 3, 1002, {}},
      {"5.2: 125 in two bytes", raw_frame(0x82, true, 2, letters(125)), 3, 1002, {}},
      {"5.2: 126 in eight bytes", raw_frame(0x82, true, 8, letters(126)), 7, 1002, {}},
      {"5.2: 65535 in eight bytes", raw_frame(0x82, true, 8, letters(65535)), 7, 1002, {}},
      {"5.2: the highest bit of a length", bytes({0x82, 0xff, 0x80}), 2, 1002, {}},
      {"5.2: all bits of a length", bytes({0x82, 0xff, 0xff}), 2, 1002, {}},
      {"5.4: a last frame of nothing", frame(0x80, "a"), 0, 1002, {}},
      {"5.4: a later frame of nothing", frame(0x00, "a"), 0, 1002, {}},
      {"5.4: a later frame behind a message", frame(0x81, "a") + frame(0x80), 7, 1002, {}},
      {"5.4: text inside a message", start + frame(0x81), 8, 1002, {}},
      {"5.4: binary inside a message", start + frame(0x82), 8, 1002, {}},
      {"5.4: text behind a ping in a message", start + frame(0x89) + frame(0x81), 14, 1002, {}},
      {"10.4: a message that is too long",
       frame(0x82, letters(301)),
       3,
       1009,
       {.message_bytes_max = 300}},
      {"10.4: 2^63-1 bytes",
       bytes({0x82, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255}),
       9,
       1009,
       {}},
      {"10.4: one byte where none is allowed", frame(0x82, "a"), 1, 1009, {.message_bytes_max = 0}},
      {"10.4: too long with the second frame",
       start + frame(0x80, "cde"),
       9,
       1009,
       {.message_bytes_max = 4}},
      {"10.4: 2^63-1 bytes and some more",
       start + bytes({0x80, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255}),
       17,
       1009,
       {}},
      {"10.4: compressed",
       frame(0xc2, "abcd"),
       1,
       1009,
       {.compression = true, .compressed_bytes_max = 3}},
  };
  for (const auto& c : cases) {
    INFO(c.rule);
    CHECK(bytes_taken(c.input, c.rules) == c.taken);
    const std::string found =
        c.input.size() < 1000 ? read_cut(c.input, c.rules) : read_whole(c.input, c.rules);
    CHECK_THAT(found, nen::test::EndsWith(std::to_string(c.code)));
  }
}

TEST_CASE("what is only just allowed is taken", "[frame_reader]") {
  const struct {
    const char* rule;
    std::string input;
    std::string found;
    frame_rules rules;
  } cases[] = {
      {"RSV1 on text", frame(0xc1, "a"), "text+rsv1(a) ", deflate_rules},
      {"RSV1 on binary", frame(0xc2, "a"), "binary+rsv1(a) ", deflate_rules},
      {"RSV1 on the first frame of several", frame(0x41, "a") + frame(0x00, "b") + frame(0x80, "c"),
       "text+rsv1(abc) ", deflate_rules},
      {"no RSV1 although there might be", frame(0x81, "a"), "text(a) ", deflate_rules},
      {"RSV1 is of one message only", frame(0xc1, "a") + frame(0x81, "b"), "text+rsv1(a) text(b) ",
       deflate_rules},
      {"a ping of 125 bytes", frame(0x89, letters(125)), "ping(" + letters(125) + ") ", {}},
      {"a close without a code", frame(0x88), "close() ", {}},
      {"a close with a code", frame(0x88, "\x03\xe8"), "close(\x03\xe8) ", {}},
      {"a message of the greatest length",
       frame(0x82, "abcd"),
       "binary(abcd) ",
       {.message_bytes_max = 4}},
      {"the same in frames",
       frame(0x02, "ab") + frame(0x00) + frame(0x80, "cd"),
       "binary(abcd) ",
       {.message_bytes_max = 4}},
      {"one after the other",
       frame(0x82, "abcd") + frame(0x82, "efgh"),
       "binary(abcd) binary(efgh) ",
       {.message_bytes_max = 4}},
      {"compressed bytes are not those of the message",
       frame(0xc2, "abcdef"),
       "binary+rsv1(abcdef) ",
       {.compression = true, .message_bytes_max = 4}},
      {"nothing where nothing is allowed", frame(0x82), "binary() ", {.message_bytes_max = 0}},
      {"an empty message in frames", frame(0x01) + frame(0x00) + frame(0x80), "text() ", {}},
      {"a ping inside a message",
       frame(0x01, "ab") + frame(0x89, "p") + frame(0x80, "cd"),
       "ping(p) text(abcd) ",
       {}},
      {"each control frame inside a message",
       frame(0x02, "ab") + frame(0x89, "1") + frame(0x8a, "2") + frame(0x00, "c") +
           frame(0x8a, "3") + frame(0x80, "d"),
       "ping(1) pong(2) pong(3) binary(abcd) ",
       {}},
      {"behind a close nothing is looked at", frame(0x88) + "\xff\xff anything", "close() ", {}},
      {"a close inside a message",
       frame(0x01, "ab") + frame(0x88) + frame(0x80, "c"),
       "close() text(ab",
       {}},
      {"a message that is not over", frame(0x01, "ab") + frame(0x00, "c"), "text(abc", {}},
      {"nothing at all", "", "", {}},
  };
  for (const auto& c : cases) {
    INFO(c.rule);
    CHECK(read_cut(c.input, c.rules) == c.found);
    CHECK(bytes_taken(c.input, c.rules) == c.input.size());
  }
}

TEST_CASE("a control frame that is cut asks for room only where bytes have to be kept",
          "[frame_reader]") {
  std::string input = frame(0x89, "abcdef");
  frame_reader reader{};
  char room[nen::ws::control_bytes_max];
  char* at = input.data();
  // Its head alone needs no room.
  CHECK(reader.next(at, at + 6, server_rules, nullptr).kind == frame_event_kind::need_more);
  CHECK(!reader.holds_control());
  char* const before = at;
  CHECK(reader.next(at, at + 2, server_rules, nullptr).kind == frame_event_kind::need_control_room);
  CHECK(at == before);
  CHECK(!reader.holds_control());
  CHECK(reader.next(at, at + 2, server_rules, room).kind == frame_event_kind::need_more);
  CHECK(at == before + 2);
  CHECK(reader.holds_control());
  const frame_event event = reader.next(at, input.data() + input.size(), server_rules, room);
  CHECK(event.kind == frame_event_kind::control);
  CHECK(event.bytes == "abcdef");
  CHECK(event.bytes.data() == room);
  CHECK(!reader.holds_control());

  // One that is whole is read where it lies.
  input = frame(0x8a, "abcdef");
  at = input.data();
  const frame_event whole = reader.next(at, at + input.size(), server_rules, nullptr);
  CHECK(whole.kind == frame_event_kind::control);
  CHECK(whole.bytes == "abcdef");
  CHECK(whole.bytes.data() == input.data() + 6);
}

TEST_CASE("data is handed out where it lies, with what the session has to know", "[frame_reader]") {
  std::string input = frame(0x01, letters(10)) + frame(0x80, letters(20));
  frame_reader reader{};
  CHECK(!reader.in_frame());
  CHECK(!reader.in_message());
  char* at = input.data();
  CHECK(reader.next(at, at + 3, server_rules, nullptr).kind == frame_event_kind::need_more);
  CHECK(reader.in_frame());
  CHECK(reader.frame_left() == 0);  // the head is not complete
  frame_event event = reader.next(at, input.data() + 10, server_rules, nullptr);
  CHECK(event.kind == frame_event_kind::data);
  CHECK(event.bytes.data() == input.data() + 6);
  CHECK(event.bytes == letters(4));
  CHECK(event.is_first);
  CHECK(!event.is_last);
  CHECK(reader.frame_left() == 6);
  CHECK(reader.message_bytes() == 10);
  CHECK(reader.in_message());
  char* const end = input.data() + input.size();
  event = reader.next(at, end, server_rules, nullptr);
  CHECK(event.bytes == letters(10).substr(4));
  CHECK(!event.is_first);
  CHECK(!event.is_last);
  CHECK(!reader.in_frame());
  CHECK(reader.in_message());
  event = reader.next(at, end, server_rules, nullptr);
  CHECK(event.bytes == letters(20));
  CHECK(event.opcode == nen::ws::opcode::text);
  CHECK(event.is_last);
  CHECK(!reader.in_message());
  CHECK(reader.message_bytes() == 0);
  CHECK(at == end);
}

TEST_CASE("a reader that refused something refuses all that follows", "[frame_reader]") {
  frame_reader reader{};
  std::string input = frame(0x83) + frame(0x81, "a");
  char* at = input.data();
  char* const end = at + input.size();
  for (int i = 0; i < 3; ++i) {
    const frame_event event = reader.next(at, end, server_rules, nullptr);
    CHECK(event.kind == frame_event_kind::rejected);
    CHECK(event.code == nen::ws::close_code::protocol_error);
  }
}

TEST_CASE("random bytes end the same however they are cut", "[frame_reader]") {
  std::mt19937 random(5);
  for (int round = 0; round < 300; ++round) {
    std::string input;
    while (input.size() < 120) {
      // Mostly right, so that the reader gets somewhere.
      constexpr int firsts[] = {0x81, 0x82, 0x01, 0x00, 0x80, 0x89, 0x8a, 0xc1, 0x88, 0x83};
      const std::size_t kinds = random() % 4 == 0 ? 10 : 7;
      const int first = firsts[random() % kinds];
      input += frame(first, letters(random() % 40));
    }
    if (round % 3 == 0) input[random() % input.size()] = static_cast<char>(random());
    const std::string found = read_cut(input, {.compression = round % 2 == 0});
    if (found != read_whole(input, {.compression = round % 2 == 0})) {
      FAIL("round " << round << ": " << found);
    }
  }
  SUCCEED();
}
