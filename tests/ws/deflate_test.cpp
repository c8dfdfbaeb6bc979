// permessage-deflate's messages: the examples of RFC 7692 §7.2.3, round trips through any cuts and
// rooms, and what hostile peers send.
#include <nen/ws/deflate.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/death.hpp"
#include "ws/frames.hpp"
#include "ws/guarded.hpp"

namespace {

using nen::test::bytes;
using nen::ws::inflate_progress;
using nen::ws::inflate_status;

template <int WindowBits = 15, int MemLevel = 8>
std::unique_ptr<nen::ws::deflater<WindowBits, MemLevel>> make_deflater(int bits = WindowBits,
                                                                       int level = 6) {
  auto result = std::make_unique<nen::ws::deflater<WindowBits, MemLevel>>();
  REQUIRE(result->open(bits, level));
  return result;
}

template <int WindowBits = 15>
std::unique_ptr<nen::ws::inflater<WindowBits>> make_inflater() {
  auto result = std::make_unique<nen::ws::inflater<WindowBits>>();
  REQUIRE(result->open());
  return result;
}

/// Compresses a message that comes in pieces into rooms of one size.
std::string compressed(nen::ws::detail::deflater_base& deflater, std::string_view message,
                       std::size_t piece_bytes = 1 << 20, std::size_t room_bytes = 1 << 16) {
  std::string result;
  std::string room(room_bytes, '\0');
  for (;;) {
    const std::string_view piece = message.substr(0, piece_bytes);
    const bool is_last = piece.size() == message.size();
    const auto progress = deflater.write(piece, room, is_last);
    result.append(room, 0, progress.produced);
    message.remove_prefix(progress.consumed);
    if (progress.is_done) return result;
  }
}

struct inflated {
  inflate_status status;
  std::string text;
};

/// Inflates a message that comes in pieces into rooms of one size. Each piece and each room ends
/// where memory ends.
inflated inflate(nen::ws::detail::inflater_base& inflater, std::string_view payload,
                 std::uint64_t bytes_max = 1 << 24, std::size_t piece_bytes = 1 << 20,
                 std::size_t room_bytes = 1 << 16) {
  static const nen::test::guarded pieces(1 << 20);
  static const nen::test::guarded rooms(1 << 16);
  std::string text;
  for (;;) {
    const std::string_view piece = payload.substr(0, piece_bytes);
    const bool is_last = piece.size() == payload.size();
    const inflate_progress progress = inflater.read({pieces.place(piece), piece.size()}, is_last,
                                                    {rooms.last(room_bytes), room_bytes});
    text.append(rooms.last(room_bytes), progress.produced);
    payload.remove_prefix(progress.consumed);
    NEN_ASSERT(text.size() <= bytes_max);
    if (progress.status == inflate_status::need_more) {
      NEN_ASSERT(progress.consumed == piece.size() && !is_last);
    } else if (progress.status != inflate_status::output_full) {
      return {progress.status, text};
    }
  }
}

/// One message that stands alone.
inflated inflate_alone(std::string_view payload, std::uint64_t bytes_max = 1 << 24) {
  static const auto inflater = make_inflater();
  inflater->start_message(bytes_max, true);
  return inflate(*inflater, payload, bytes_max);
}

/// Text that repeats itself near and far, and bytes that do not.
std::string some_text(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string text;
  std::size_t from = 0;
  while (text.size() < size) {
    switch (random() % 4) {
      case 0:
        text += static_cast<char>(random());
        break;
      case 1:
        text += R"({"id":)" + std::to_string(random() % 1000) + R"(,"name":"somebody"},)";
        break;
      default:
        from = text.empty() ? 0 : random() % text.size();
        text += text.substr(from, random() % 100);
        break;
    }
  }
  text.resize(size);
  return text;
}

std::string random_bytes(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string result(size, '\0');
  for (char& c : result) c = static_cast<char>(random());
  return result;
}

}  // namespace

TEST_CASE("the examples of RFC 7692 section 7.2.3 inflate to Hello", "[deflate]") {
  const auto inflater = make_inflater();
  const auto next = [&](const std::string& payload) {
    inflater->start_message(100, false);
    const inflated result = inflate(*inflater, payload);
    CHECK(result.status == inflate_status::complete);
    return result.text;
  };
  // 7.2.3.1, whole and in two fragments; 7.2.3.2, which refers to the message before.
  CHECK(next(bytes({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00})) == "Hello");
  CHECK(next(bytes({0xf2, 0x00, 0x11, 0x00, 0x00})) == "Hello");
  // 7.2.3.3: a block without compression.
  CHECK(next(bytes({0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00})) == "Hello");
  // 7.2.3.4: a block that says it is the last; the context goes on behind it.
  CHECK(next(bytes({0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00})) == "Hello");
  CHECK(next(bytes({0xf2, 0x00, 0x11, 0x00, 0x00})) == "Hello");
  // 7.2.3.5: two blocks.
  CHECK(next(bytes({0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07,
                    0x00})) == "Hello");
  // 7.2.3.6: an empty message.
  CHECK(next(bytes({0x00})).empty());
}

TEST_CASE("a message is compressed as RFC 7692 section 7.2.3 shows", "[deflate]") {
  const auto deflater = make_deflater();
  CHECK(compressed(*deflater, "Hello") == bytes({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00}));
  CHECK(compressed(*deflater, "Hello") == bytes({0xf2, 0x00, 0x11, 0x00, 0x00}));
  deflater->reset();
  CHECK(compressed(*deflater, "Hello") == bytes({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00}));
  // 7.2.3.6, behind another message, behind another empty one, and first of all.
  CHECK(compressed(*deflater, "") == bytes({0x00}));
  CHECK(compressed(*deflater, "") == bytes({0x00}));
  CHECK(compressed(*deflater, "Hello") == bytes({0xf2, 0x00, 0x11, 0x00, 0x00}));
  deflater->reset();
  CHECK(compressed(*deflater, "") == bytes({0x00}));
}

TEST_CASE("messages come back whole from any pieces and rooms", "[deflate]") {
  const auto deflater = make_deflater();
  const auto inflater = make_inflater();
  std::mt19937 random(7692);
  for (unsigned round = 0; round < 300; ++round) {
    const std::size_t size = random() % (round % 20 == 0 ? 100'000 : 3000);
    const std::string message = round % 3 == 0 ? random_bytes(size, round) : some_text(size, round);
    const bool alone = random() % 2 == 0;
    if (alone) deflater->reset();
    // One after the other, so that every compiler draws the same numbers.
    const std::size_t piece = 1 + random() % 2000;
    const std::size_t room = 16 + random() % 2000;
    const std::string payload = compressed(*deflater, message, piece, room);
    inflater->start_message(message.size(), alone);
    const inflated result = inflate(*inflater, payload, message.size(), room, piece);
    if (result.status != inflate_status::complete || result.text != message) {
      FAIL("round " << round << ", " << size << " bytes, status "
                    << static_cast<int>(result.status));
    }
  }
  SUCCEED();
}

TEST_CASE("where a compressed message is cut does not change it", "[deflate]") {
  const auto deflater = make_deflater();
  const auto inflater = make_inflater();
  const std::string message = some_text(400, 1);
  const std::string payload = compressed(*deflater, message);
  for (std::size_t cut = 0; cut <= payload.size(); ++cut) {
    inflater->start_message(message.size(), true);
    std::string room(message.size(), '\0');
    const std::string_view text = payload;
    const auto first = inflater->read(text.substr(0, cut), false, room);
    // What is full may hold all; then the second call has no room and needs none.
    CHECK(first.consumed == cut);
    const auto second =
        inflater->read(text.substr(cut), true, std::span<char>(room).subspan(first.produced));
    if (second.status != inflate_status::complete || room != message) FAIL("cut at " << cut);
  }
  for (std::size_t piece = 1; piece < 20; ++piece) {
    for (std::size_t room = 1; room < 20; ++room) {
      inflater->start_message(message.size(), true);
      const inflated result = inflate(*inflater, payload, message.size(), piece, room);
      if (result.status != inflate_status::complete || result.text != message) {
        FAIL(piece << " in, " << room << " out");
      }
    }
  }
}

TEST_CASE("a whole message is compressed at once, or not at all", "[deflate]") {
  const auto deflater = make_deflater();
  const std::string message = some_text(5000, 2);
  std::string room(6000, '\0');
  const auto size = deflater->compress(message, room);
  REQUIRE(size.has_value());
  CHECK(*size < 2500);
  CHECK(inflate_alone(std::string_view(room).substr(0, *size)).text == message);
  // What cannot be made smaller does not fit into its own size; the next message stands alone.
  const std::string noise = random_bytes(500, 3);
  CHECK(!deflater->compress(noise, std::span<char>(room).first(noise.size())));
  CHECK(!deflater->compress("Hello", std::span<char>(room).first(5)));
  const auto after = deflater->compress(message, room);
  REQUIRE(after.has_value());
  CHECK(inflate_alone(std::string_view(room).substr(0, *after)).text == message);
  CHECK(deflater->compress("", room) == std::size_t{1});
}

TEST_CASE("no room is written behind", "[deflate]") {
  const auto deflater = make_deflater();
  const std::string message = some_text(1000, 4);
  for (std::size_t room = 0; room < 700; ++room) {
    std::string out(room + 8, '#');
    deflater->reset();
    const auto size = deflater->compress(message, std::span<char>(out).first(room));
    if (out.substr(room) != "########") FAIL(room << " bytes of room");
    if (size && inflate_alone(std::string_view(out).substr(0, *size)).text != message) {
      FAIL(room << " bytes of room");
    }
  }
  SUCCEED();
}

TEST_CASE("each window and memory level is kept to, and fits into its memory", "[deflate]") {
  const auto check = []<int Window, int MemLevel>() {
    const std::string message = some_text(100'000, 5);
    const auto deflater = make_deflater<Window, MemLevel>();
    const auto inflater = make_inflater<Window>();
    INFO("window " << Window << ", memory level " << MemLevel << ": " << deflater->memory_used()
                   << " of " << deflater->memory_bytes);
    inflater->start_message(message.size(), true);
    // An inflater that has only so large a window would notice what refers further back.
    CHECK(inflate(*inflater, compressed(*deflater, message), message.size()).text == message);
    CHECK(deflater->memory_used() <= deflater->memory_bytes);
    CHECK(deflater->memory_used() + 1024 > deflater->memory_bytes);
    CHECK(inflater->memory_used() <= inflater->memory_bytes);
    CHECK(inflater->memory_used() + 1024 > inflater->memory_bytes);
  };
  check.operator()<9, 1>();
  check.operator()<9, 9>();
  check.operator()<10, 2>();
  check.operator()<11, 3>();
  check.operator()<12, 4>();
  check.operator()<12, 5>();
  check.operator()<13, 6>();
  check.operator()<14, 7>();
  check.operator()<15, 8>();
  check.operator()<15, 9>();
  check.operator()<15, 1>();
}

TEST_CASE("one deflater serves windows of several sizes in turn", "[deflate]") {
  const auto deflater = make_deflater();
  const auto narrow = make_inflater<9>();
  const std::string message = some_text(20'000, 6);
  for (int round = 0; round < 100; ++round) {
    const int bits = 9 + round % 7;
    REQUIRE(deflater->open(bits, 1 + round % 9));
    CHECK(deflater->window_bits() == bits);
    const std::string payload = compressed(*deflater, message);
    if (inflate_alone(payload).text != message) FAIL("window of " << bits << " bits");
    if (bits == 9) {
      narrow->start_message(message.size(), true);
      CHECK(inflate(*narrow, payload, message.size()).text == message);
    }
  }
}

TEST_CASE("a window that is kept refers to the messages before, and one that is not does not",
          "[deflate]") {
  const auto deflater = make_deflater();
  const auto inflater = make_inflater();
  const std::string message = random_bytes(1000, 7);
  compressed(*deflater, message);
  const std::string second = compressed(*deflater, message);
  CHECK(second.size() < 100);
  // The first message is missing here.
  inflater->start_message(2000, true);
  CHECK(inflate(*inflater, second).status == inflate_status::invalid);
  deflater->reset();
  CHECK(compressed(*deflater, message).size() > 1000);
}

TEST_CASE("a message that inflates to more than it may stops there", "[deflate]") {
  const auto deflater = make_deflater(15, 9);
  const std::string bomb = compressed(*deflater, std::string(10'000'000, 'x'));
  CHECK(bomb.size() < 20'000);
  for (const std::uint64_t bytes_max : {0U, 1U, 100U, 65'535U, 65'536U, 65'537U, 9'999'999U}) {
    for (const std::size_t room : {std::size_t{1}, std::size_t{1000}, std::size_t{65'536}}) {
      if (room == 1 && bytes_max > 100'000) continue;
      INFO(bytes_max << " bytes in rooms of " << room);
      const auto inflater = make_inflater();
      inflater->start_message(bytes_max, true);
      const inflated result = inflate(*inflater, bomb, bytes_max, 1 << 20, room);
      CHECK(result.status == inflate_status::too_big);
      CHECK(result.text.size() == bytes_max);
    }
  }
  CHECK(inflate_alone(bomb, 10'000'000).status == inflate_status::complete);
}

TEST_CASE("a message of just the greatest size needs no room behind it", "[deflate]") {
  const auto deflater = make_deflater();
  const auto inflater = make_inflater();
  const std::string payload = compressed(*deflater, "Hello");
  std::array<char, 5> room{};
  inflater->start_message(5, true);
  CHECK(inflater->read(payload, true, room).status == inflate_status::complete);
  inflater->start_message(4, true);
  CHECK(inflater->read(payload, true, room).status == inflate_status::too_big);
  inflater->start_message(0, true);
  CHECK(inflater->read(bytes({0x00}), true, {}).status == inflate_status::complete);
  inflater->start_message(6, true);
  CHECK(inflater->read(payload, true, room).status == inflate_status::output_full);
}

TEST_CASE("what is no message is refused", "[deflate]") {
  const struct {
    const char* what;
    std::string payload;
  } cases[] = {
      {"nothing, not even an empty block", ""},
      {"a reserved kind of block", bytes({0x06, 0x00})},
      {"a block without compression whose length is wrong",
       bytes({0x00, 0x05, 0x00, 0xfa, 0xfe, 0x48})},
      {"one that ends early", bytes({0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65})},
      {"a reference to what never was", bytes({0xf2, 0x00, 0x11, 0x00, 0x00})},
      {"a block cut in its middle", bytes({0xf2, 0x48, 0xcd})},
      {"a last block without the byte behind it",
       bytes({0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00})},
      {"a tail that was not taken off",
       bytes({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00, 0x00, 0xff, 0xff})},
      {"zlib's header", bytes({0x78, 0x9c, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00})},
      {"gzip's header", bytes({0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03})},
  };
  for (const auto& c : cases) {
    INFO(c.what);
    CHECK(inflate_alone(c.payload).status == inflate_status::invalid);
    // An inflater is as good as new for the next message.
    CHECK(inflate_alone(bytes({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00})).text == "Hello");
  }
}

TEST_CASE("the tail is put behind a message whatever it ends with", "[deflate]") {
  // RFC 7692 section 7.2.2: these four bytes are the rest of a block that has six.
  const inflated result = inflate_alone(bytes({0x00, 0x06, 0x00, 0xf9, 0xff, 0x48, 0x65}));
  CHECK(result.status == inflate_status::complete);
  CHECK(result.text == "He" + bytes({0x00, 0x00, 0xff, 0xff}));
}

TEST_CASE("every message that is cut short is refused", "[deflate]") {
  const auto deflater = make_deflater();
  const std::string message = some_text(300, 8);
  const std::string payload = compressed(*deflater, message);
  for (std::size_t size = 0; size < payload.size(); ++size) {
    const inflated result = inflate_alone(std::string_view(payload).substr(0, size));
    if (result.status != inflate_status::invalid) FAIL(size << " of " << payload.size());
  }
  SUCCEED();
}

TEST_CASE("random bytes never inflate beyond their bound, and end the same in pieces",
          "[deflate]") {
  const auto deflater = make_deflater();
  std::mt19937 random(9);
  for (unsigned round = 0; round < 3000; ++round) {
    std::string payload = random_bytes(random() % 60, round);
    if (round % 2 == 0) {
      deflater->reset();
      payload = compressed(*deflater, some_text(200, round));
      payload[random() % payload.size()] = static_cast<char>(random());
    }
    const inflated whole = inflate_alone(payload, 1000);
    const auto inflater = make_inflater();
    inflater->start_message(1000, true);
    const std::size_t piece = 1 + random() % 5;
    const inflated cut = inflate(*inflater, payload, 1000, piece, 1 + random() % 30);
    if (whole.status != cut.status) FAIL("round " << round);
    if (whole.status == inflate_status::complete && whole.text != cut.text) FAIL(round);
  }
  SUCCEED();
}

TEST_CASE("endless last blocks are read in one go", "[deflate]") {
  std::string payload;
  for (int i = 0; i < 20'000; ++i) payload += bytes({0x03, 0x00});
  CHECK(inflate_alone(payload + bytes({0x00})).status == inflate_status::complete);
}

TEST_CASE("what was not opened is not used", "[deflate]") {
  CHECK(nen::test::dies([] {
          static nen::ws::deflater<9, 1> closed;
          char room[64];
          (void)closed.compress("a", room);
        }).aborted);
  CHECK(nen::test::dies([] {
          static nen::ws::inflater<8> closed;
          closed.start_message(1, true);
        }).aborted);
  CHECK(nen::test::dies([] {
          static nen::ws::deflater<9, 1> narrow;
          (void)narrow.open(10);
        }).aborted);
  static nen::ws::inflater<8> inflater;
  CHECK(!inflater.is_open());
  CHECK(inflater.open());
  CHECK(inflater.is_open());
}
