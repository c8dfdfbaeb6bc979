// Frame heads as servers and clients write them, close frames, and that a reader understands them.
#include <nen/ws/frame.hpp>

#include <random>
#include <string>
#include <string_view>

#include "support/catch.hpp"
#include "support/death.hpp"
#include "ws/frames.hpp"

namespace {

using nen::test::bytes;
using nen::ws::close_code;
using nen::ws::frame_head;
using nen::ws::opcode;

std::string head(frame_head h, std::uint64_t payload) {
  std::string out(nen::ws::frame_head_bytes_max, '#');
  char* const end = nen::ws::write_frame_head(out.data(), h, payload);
  out.resize(static_cast<std::size_t>(end - out.data()));
  CHECK(out.size() == nen::ws::frame_head_size(payload));
  return out;
}

std::string close_payload(close_code code, std::string_view reason = {}) {
  std::string out(nen::ws::control_bytes_max, '#');
  out.resize(nen::ws::write_close_payload(out.data(), code, reason));
  return out;
}

constexpr bool is_constexpr() {
  char out[4] = {};
  return nen::ws::write_frame_head(out, {.opcode = opcode::text}, 64) == out + 2 && out[1] == 64;
}
static_assert(is_constexpr());

}  // namespace

TEST_CASE("a frame's head has its length in as few bytes as can be", "[frame]") {
  CHECK(head({.opcode = opcode::text}, 0) == bytes({0x81, 0}));
  CHECK(head({.opcode = opcode::binary}, 125) == bytes({0x82, 125}));
  CHECK(head({.opcode = opcode::binary}, 126) == bytes({0x82, 126, 0, 126}));
  CHECK(head({.opcode = opcode::binary}, 256) == bytes({0x82, 126, 1, 0}));
  CHECK(head({.opcode = opcode::binary}, 65535) == bytes({0x82, 126, 255, 255}));
  CHECK(head({.opcode = opcode::binary}, 65536) == bytes({0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0}));
  CHECK(head({.opcode = opcode::binary}, 0x7fffffffffffffff) ==
        bytes({0x82, 127, 0x7f, 255, 255, 255, 255, 255, 255, 255}));
  CHECK(nen::ws::frame_head_size(125, true) == 6);
  CHECK(nen::ws::frame_head_size(126, true) == 8);
  CHECK(nen::ws::frame_head_size(65536, true) == nen::ws::masked_frame_head_bytes_max);
}

TEST_CASE("a frame's first byte says what it is", "[frame]") {
  CHECK(head({.opcode = opcode::text, .is_last = false}, 0)[0] == '\x01');
  CHECK(head({.opcode = opcode::continuation, .is_last = false}, 0)[0] == '\x00');
  CHECK(head({.opcode = opcode::continuation}, 0)[0] == '\x80');
  CHECK(head({.opcode = opcode::text, .is_compressed = true}, 0)[0] == '\xc1');
  CHECK(head({.opcode = opcode::binary, .is_last = false, .is_compressed = true}, 0)[0] == '\x42');
  CHECK(head({.opcode = opcode::close}, 0)[0] == '\x88');
  CHECK(head({.opcode = opcode::ping}, 0)[0] == '\x89');
  CHECK(head({.opcode = opcode::pong}, 0)[0] == '\x8a');
}

TEST_CASE("a client's head has the mask bit and the key", "[frame]") {
  char out[nen::ws::masked_frame_head_bytes_max];
  char* end =
      nen::ws::write_masked_frame_head(out, {.opcode = opcode::text}, 5, {0x37, 0xfa, 0x21, 0x3d});
  CHECK(std::string(out, end) == bytes({0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d}));
  end = nen::ws::write_masked_frame_head(out, {.opcode = opcode::text}, 65536, {1, 2, 3, 4});
  CHECK(std::string(out, end) == bytes({0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4}));
}

TEST_CASE("what is written is read again, by both sides", "[frame]") {
  std::mt19937 random(57);
  for (int round = 0; round < 400; ++round) {
    const std::size_t size = random() % (round % 10 == 0 ? 70'000 : 300);
    std::string payload(size, '\0');
    for (char& c : payload) c = static_cast<char>(random());
    const frame_head h = {.opcode = opcode::binary, .is_compressed = random() % 2 == 0};
    const std::string wanted = (h.is_compressed ? "binary+rsv1(" : "binary(") + payload + ") ";

    nen::ws::frame_rules rules = {.compression = true, .message_bytes_max = 70'000};
    std::string masked(nen::ws::masked_frame_head_bytes_max + size, '\0');
    const auto number = static_cast<std::uint32_t>(random());
    const auto key = std::bit_cast<nen::ws::masking_key>(number);
    char* end = nen::ws::write_masked_frame_head(masked.data(), h, size, key);
    nen::ws::mask(end, payload.data(), size, key);
    masked.resize(static_cast<std::size_t>(end - masked.data()) + size);
    if (nen::test::read_whole(masked, rules) != wanted) FAIL("client, " << size << " bytes");

    rules.side = nen::ws::side::client;
    if (nen::test::read_whole(head(h, size) + payload, rules) != wanted) {
      FAIL("server, " << size << " bytes");
    }
  }
  SUCCEED();
}

TEST_CASE("control frames are written whole", "[frame]") {
  char out[nen::ws::control_frame_bytes_max];
  CHECK(std::string(out, nen::ws::write_control_frame(out, opcode::pong, "Hello")) ==
        bytes({0x8a, 5}) + "Hello");
  CHECK(std::string(out, nen::ws::write_control_frame(out, opcode::ping, "")) == bytes({0x89, 0}));
  const std::string longest(125, 'x');
  CHECK(std::string(out, nen::ws::write_control_frame(out, opcode::ping, longest)) ==
        bytes({0x89, 125}) + longest);
  CHECK(std::string(out, nen::ws::write_close_frame(out, close_code::going_away, "bye")) ==
        bytes({0x88, 5, 0x03, 0xe9}) + "bye");
  CHECK(std::string(out, nen::ws::write_close_frame(out, close_code::no_status_received, "x")) ==
        bytes({0x88, 0}));
}

TEST_CASE("a close has a code and as much of the reason as fits", "[frame]") {
  CHECK(close_payload(close_code::normal_closure) == bytes({0x03, 0xe8}));
  CHECK(close_payload(static_cast<close_code>(4999), "why") == bytes({0x13, 0x87}) + "why");
  CHECK(close_payload(close_code::no_status_received, "why").empty());
  CHECK(close_payload(close_code::going_away, std::string(123, 'a')) ==
        bytes({0x03, 0xe9}) + std::string(123, 'a'));
  CHECK(close_payload(close_code::going_away, std::string(1000, 'a')) ==
        bytes({0x03, 0xe9}) + std::string(123, 'a'));
  // A character is not cut.
  for (std::size_t before = 118; before <= 124; ++before) {
    const std::string reason = std::string(before, 'a') + "\xf0\x9f\x98\x80";
    const std::string kept =
        before + 4 <= 123 ? reason : std::string(std::min<std::size_t>(before, 123), 'a');
    INFO(before);
    CHECK(close_payload(close_code::going_away, reason) == bytes({0x03, 0xe9}) + kept);
  }
  // What the peer would refuse is not sent.
  CHECK(close_payload(close_code::going_away,
                      "ab\xff"
                      "cd") == bytes({0x03, 0xe9}) + "ab");
  CHECK(close_payload(close_code::going_away, "ab\xe2\x82") == bytes({0x03, 0xe9}) + "ab");
}

TEST_CASE("what a close carries is taken apart again", "[frame]") {
  const std::string payload = close_payload(close_code::bad_gateway, "why");
  const auto parsed = nen::ws::parse_close_payload(payload);
  CHECK(parsed.fault == close_code::none);
  CHECK(parsed.code == close_code::bad_gateway);
  CHECK(parsed.reason == "why");
  CHECK(nen::ws::parse_close_payload("").code == close_code::no_status_received);
  CHECK(nen::ws::parse_close_payload("\x03").fault == close_code::protocol_error);
}

TEST_CASE("frames that no peer may get are never written", "[frame]") {
  void (*const mistakes[])(char*) = {
      [](char* out) { nen::ws::write_control_frame(out, opcode::ping, std::string(126, 'x')); },
      [](char* out) { nen::ws::write_control_frame(out, opcode::text, "x"); },
      [](char* out) {
        nen::ws::write_frame_head(out, {.opcode = opcode::ping, .is_last = false}, 0);
      },
      [](char* out) {
        nen::ws::write_frame_head(out, {.opcode = opcode::ping, .is_compressed = true}, 0);
      },
      [](char* out) {
        nen::ws::write_frame_head(out, {.opcode = opcode::continuation, .is_compressed = true}, 0);
      },
      [](char* out) { nen::ws::write_frame_head(out, {}, std::uint64_t{1} << 63); },
      [](char* out) { nen::ws::write_close_payload(out, close_code::abnormal_closure); },
      [](char* out) { nen::ws::write_close_payload(out, close_code::none); },
      [](char* out) { nen::ws::write_close_payload(out, close_code::tls_handshake); },
      [](char* out) { nen::ws::write_close_payload(out, static_cast<close_code>(2000)); },
  };
  for (const auto mistake : mistakes) {
    char out[200];
    const auto death = nen::test::dies([&] { mistake(out); });
    CHECK(death.aborted);
    CHECK_THAT(death.output, nen::test::ContainsSubstring("assertion failed"));
  }
}
