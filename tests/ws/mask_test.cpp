// Masking against the formula of RFC 6455 §5.3, byte by byte, at every size, alignment and phase.
#include <nen/ws/mask.hpp>

#include <algorithm>
#include <random>
#include <string>

#include "support/catch.hpp"
#include "ws/guarded.hpp"

namespace {

constexpr nen::ws::masking_key key = {0x37, 0xfa, 0x21, 0x3d};

std::string expected(std::string_view bytes, std::size_t phase) {
  std::string result(bytes);
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = static_cast<char>(static_cast<unsigned char>(result[i]) ^ key[(i + phase) % 4]);
  }
  return result;
}

std::string some_bytes(std::size_t size) {
  std::mt19937 random(6455);
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

}  // namespace

TEST_CASE("the mask of RFC 6455 section 5.7 hides Hello", "[mask]") {
  char text[] = "Hello";
  nen::ws::mask(text, 5, key);
  CHECK(std::string_view(text, 5) == "\x7f\x9f\x4d\x51\x58");
  nen::ws::mask(text, 5, key);
  CHECK(std::string_view(text, 5) == "Hello");
}

TEST_CASE("a mask is right at every size, alignment and phase, and touches nothing else",
          "[mask]") {
  constexpr std::size_t around = 8;
  const std::string bytes = some_bytes(700);
  for (std::size_t size = 0; size <= 600; size += size < 300 ? 1 : 37) {
    for (std::size_t offset = 0; offset < 66; offset += size < 80 ? 1 : 5) {
      for (std::size_t phase = 0; phase < 4; ++phase) {
        std::string memory = bytes;
        nen::ws::mask(memory.data() + around + offset, size, key, phase);
        const std::string wanted =
            bytes.substr(0, around + offset) +
            expected(std::string_view(bytes).substr(around + offset, size), phase) +
            bytes.substr(around + offset + size);
        if (memory != wanted) FAIL(size << " bytes at " << offset << ", phase " << phase);
      }
    }
  }
  SUCCEED();
}

TEST_CASE("only the phase modulo four matters", "[mask]") {
  const std::string bytes = some_bytes(77);
  for (const std::size_t phase : {std::size_t{4}, std::size_t{7}, std::size_t{1'000'003}}) {
    std::string memory = bytes;
    nen::ws::mask(memory.data(), memory.size(), key, phase);
    CHECK(memory == expected(bytes, phase % 4));
  }
}

TEST_CASE("masking on the way to another place leaves the source as it is", "[mask]") {
  const std::string bytes = some_bytes(300);
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    for (std::size_t phase = 0; phase < 4; ++phase) {
      std::string to(size + 1, '#');
      nen::ws::mask(to.data(), bytes.data(), size, key, phase);
      const std::string wanted = expected(std::string_view(bytes).substr(0, size), phase) + '#';
      if (to != wanted) FAIL(size << " bytes, phase " << phase);
    }
  }
  CHECK(bytes == some_bytes(300));
}

TEST_CASE("a mask in pieces is the mask of the whole", "[mask]") {
  const std::string bytes = some_bytes(97);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    std::string memory = bytes;
    nen::ws::mask(memory.data(), cut, key);
    nen::ws::mask(memory.data() + cut, memory.size() - cut, key, cut);
    if (memory != expected(bytes, 0)) FAIL("cut at " << cut);
  }
  SUCCEED();
}

TEST_CASE("a mask stays in front of the page that ends the bytes", "[mask]") {
  const nen::test::guarded memory(1024);
  const std::string bytes = some_bytes(1024);
  for (std::size_t size = 0; size <= 600; ++size) {
    const std::string_view part = std::string_view(bytes).substr(0, size);
    char* const begin = memory.place(part);
    nen::ws::mask(begin, size, key, 1);
    if (std::string_view(begin, size) != expected(part, 1)) FAIL(size << " bytes");
  }
  SUCCEED();
}
