// SHA-1 and base64 against the vectors of their RFCs, at every length around a block, and against
// what strict decoding has to refuse.
#include <nen/core/digest.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace {

std::string hex(const nen::sha1_digest& digest) {
  std::string text;
  for (const char c : digest) {
    constexpr std::string_view digits = "0123456789abcdef";
    text += digits[static_cast<unsigned char>(c) >> 4];
    text += digits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

std::string encode(std::string_view bytes) {
  std::string text(nen::base64_size(bytes.size()) + 8, '\x7e');
  char* const end = nen::write_base64(text.data(), bytes);
  CHECK(end == text.data() + nen::base64_size(bytes.size()));
  CHECK(text.substr(nen::base64_size(bytes.size())) == "\x7e\x7e\x7e\x7e\x7e\x7e\x7e\x7e");
  text.resize(static_cast<std::size_t>(end - text.data()));
  return text;
}

std::optional<std::string> decode(std::string_view text, std::size_t room = 1000) {
  std::string bytes(room, '\0');
  const auto size = nen::read_base64(text, bytes);
  if (!size) return std::nullopt;
  return bytes.substr(0, *size);
}

constexpr bool sha1_is_constexpr() {
  const nen::sha1_digest digest = nen::sha1("abc");
  return static_cast<unsigned char>(digest[0]) == 0xa9 &&
         static_cast<unsigned char>(digest[19]) == 0x9d;
}
static_assert(sha1_is_constexpr());

}  // namespace

TEST_CASE("SHA-1 gives the digests of RFC 3174 section 7.3", "[digest]") {
  CHECK(hex(nen::sha1("abc")) == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(hex(nen::sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
        "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  CHECK(hex(nen::sha1(std::string(1'000'000, 'a'))) == "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
  std::string digits;
  for (int i = 0; i < 80; ++i) digits += "01234567";
  CHECK(hex(nen::sha1(digits)) == "dea356a2cddd90c7a7ecedc5ebb563934f460452");
  CHECK(hex(nen::sha1("")) == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

TEST_CASE("SHA-1 pads every length around a block as it has to", "[digest]") {
  // Made with Python's hashlib from so many letters 'a'.
  const struct {
    std::size_t size;
    std::string_view digest;
  } cases[] = {
      {1, "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"},
      {54, "b05d71c64979cb95fa74a33cdb31a40d258ae02e"},
      {55, "c1c8bbdc22796e28c0e15163d20899b65621d65a"},
      {56, "c2db330f6083854c99d4b5bfb6e8f29f201be699"},
      {57, "f08f24908d682555111be7ff6f004e78283d989a"},
      {63, "03f09f5b158a7a8cdad920bddc29b81c18a551f5"},
      {64, "0098ba824b5c16427bd7a1122a5a442a25ec644d"},
      {65, "11655326c708d70319be2610e8a57d9a5b959d3b"},
      {119, "ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56"},
      {120, "f34c1488385346a55709ba056ddd08280dd4c6d6"},
      {127, "89d95fa32ed44a7c610b7ee38517ddf57e0bb975"},
      {128, "ad5b3fdbcb526778c2839d2f151ea753995e26a0"},
      {129, "d96debf1bdcbc896e6c134ea76e8141f40d78536"},
  };
  for (const auto& c : cases) {
    INFO(c.size << " bytes");
    CHECK(hex(nen::sha1(std::string(c.size, 'a'))) == c.digest);
  }
}

TEST_CASE("base64 writes the vectors of RFC 4648 section 10 and reads them back", "[digest]") {
  const struct {
    std::string_view bytes, text;
  } cases[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
      {"\xfb\xff\xbf", "+/+/"},
      {std::string_view("\0\0\0", 3), "AAAA"},
      {"\xff\xff\xff", "////"},
  };
  for (const auto& c : cases) {
    INFO(c.text);
    CHECK(encode(c.bytes) == c.text);
    CHECK(decode(c.text) == std::string(c.bytes));
  }
}

TEST_CASE("base64 gives back whatever bytes were written", "[digest]") {
  std::mt19937 random(4648);
  for (std::size_t size = 0; size < 200; ++size) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    INFO(size << " bytes");
    CHECK(decode(encode(bytes)) == bytes);
  }
}

TEST_CASE("base64 is read strictly", "[digest]") {
  const std::string_view wrong[] = {
      "Z",           // not a multiple of four
      "Zg",          //
      "Zg=",         //
      "Zm9vY",       //
      "Zg==Zg==",    // padding before the end
      "Zm8=Zm9v",    //
      "Z===",        // a character that ends no byte
      "====",        //
      "=g==",        //
      "Zg=x",        // a character behind padding
      "Zh==",        // unused bits that are not zero, RFC 4648 section 3.5
      "Zm9=",        //
      "Zm 9",        // white space
      "Zm9v\r\n==",  //
      " Zg==",       //
      "Zm9-",        // the other alphabet, RFC 4648 section 5
      "Zm9_",        //
      "Zm9\xe9",     // not ASCII
  };
  for (const std::string_view text : wrong) {
    INFO(text);
    CHECK(!decode(text));
  }
  CHECK(!decode(std::string_view("Zm\0v", 4)));
}

TEST_CASE("base64 accepts exactly one text for each pair of bytes", "[digest]") {
  std::size_t accepted = 0;
  for (const char a : nen::detail::base64_alphabet) {
    for (const char b : nen::detail::base64_alphabet) {
      const char text[] = {a, b, '=', '='};
      accepted += decode({text, 4}).has_value() ? 1U : 0U;
    }
  }
  CHECK(accepted == 256);
}

TEST_CASE("base64 is not read into less room than it needs", "[digest]") {
  CHECK(decode("Zm9vYmFy", 6) == "foobar");
  CHECK(!decode("Zm9vYmFy", 5));
  CHECK(!decode("Zm9vYg==", 3));
  CHECK(decode("Zm9vYg==", 4) == "foob");
  CHECK(!decode("Zg==", 0));
  CHECK(decode("", 0) == "");
}
