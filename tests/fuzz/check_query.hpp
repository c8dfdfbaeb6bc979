// Properties of query strings and form bodies: what is found in a text is what splitting it by hand
// finds, and what an encoder wrote is read back.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <nen/http/query.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "fuzz/fuzz.hpp"

namespace nen::test::fuzz {

/// WHATWG URL §5.1, but strict: nothing for a bad escape or a NUL.
inline std::optional<std::string> form_decoded(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    char c = text[0];
    std::size_t size = 1;
    if (c == '+') c = ' ';
    if (c == '%') {
      size = 3;
      if (text.size() < size) return std::nullopt;
      const int high = hex_value(text[1]);
      const int low = hex_value(text[2]);
      if (high < 0 || low < 0 || high + low == 0) return std::nullopt;
      c = static_cast<char>(high << 4 | low);
    }
    out += c;
    text.remove_prefix(size);
  }
  return out;
}

inline std::string form_encoded(std::string_view text, dice& random) {
  std::string out;
  for (const char c : text) {
    const bool plain = is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
    if (plain && random.below(4) != 0) {
      out += c;
    } else if (c == ' ' && random.below(2) == 0) {
      out += '+';
    } else {
      constexpr std::string_view digits = "0123456789ABCDEF0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      const std::size_t kind = 16 * random.below(2);
      out += '%';
      out += digits[kind + (byte >> 4)];
      out += digits[kind + (byte & 15)];
    }
  }
  return out;
}

using text_pairs = std::vector<std::pair<std::string_view, std::string_view>>;

inline text_pairs split_query(std::string_view text) {
  text_pairs pairs;
  for (std::size_t begin = 0; begin <= text.size();) {
    std::size_t end = text.find('&', begin);
    if (end == text.npos) end = text.size();
    const std::string_view piece = text.substr(begin, end - begin);
    begin = end + 1;
    if (piece.empty()) continue;
    const std::size_t equals = piece.find('=');
    pairs.emplace_back(piece.substr(0, equals),
                       equals == piece.npos ? std::string_view{} : piece.substr(equals + 1));
  }
  return pairs;
}

/// Numbers are compared as the texts that they are.
template <class Integer>
std::optional<Integer> to_integer(const std::optional<std::string>& text) {
  if (!text || text->size() > 64) return std::nullopt;
  const bool negative = std::is_signed_v<Integer> && text->starts_with('-');
  std::string digits = text->substr(negative ? 1 : 0);
  if (digits.empty() || digits.find_first_not_of("0123456789") != digits.npos) return std::nullopt;
  digits.erase(0, digits.find_first_not_of('0'));
  const std::string limit = negative ? std::to_string(std::numeric_limits<Integer>::min()).substr(1)
                                     : std::to_string(std::numeric_limits<Integer>::max());
  if (std::pair(digits.size(), digits) > std::pair(limit.size(), limit)) return std::nullopt;
  const std::uint64_t magnitude = std::strtoull(digits.c_str(), nullptr, 10);
  return static_cast<Integer>(negative ? 0 - magnitude : magnitude);
}

inline void check_pair(const query_pair& pair, std::string_view raw_name,
                       std::string_view raw_value, guarded_bytes& room) {
  NEN_SAME(pair.raw_name, raw_name);
  NEN_SAME(pair.raw_value, raw_value);
  const auto name = form_decoded(raw_name);
  const auto value = form_decoded(raw_value);
  NEN_SAME(pair.is_valid(), name && value);

  const percent_result whole = pair.value({room.room(raw_value.size()), raw_value.size()});
  NEN_SAME(whole.status == percent_status::ok, value.has_value());
  if (value) NEN_SAME(whole.text, *value);

  const query_value<8> small(raw_value);
  if (value && value->size() <= 8) {
    NEN_SAME(small.status(), percent_status::ok);
    NEN_SAME(small.view(), *value);
  } else {
    NEN_PROPERTY(!small && small.view().empty());
  }

  std::string decoded(raw_value.size(), '\0');
  const auto long_value = form_decode(raw_value, decoded);
  NEN_SAME(long_value.status == percent_status::ok, value.has_value());
  NEN_SAME(pair.as<std::uint8_t>(), to_integer<std::uint8_t>(value));
  NEN_SAME(pair.as<std::int32_t>(), to_integer<std::int32_t>(value));
  NEN_SAME(pair.as<std::uint64_t>(), to_integer<std::uint64_t>(value));
  NEN_SAME(pair.as<std::int64_t>(), to_integer<std::int64_t>(value));
  const auto truth = pair.as<bool>();
  NEN_SAME(truth.has_value(),
           value && (*value == "1" || *value == "0" || *value == "true" || *value == "false"));
  if (truth) NEN_SAME(*truth, *value == "1" || *value == "true");
  const auto real = pair.as<double>();
  if (real)
    NEN_PROPERTY(value && *real - *real == 0 && *real == std::strtod(value->c_str(), nullptr));
  if (name) {
    NEN_PROPERTY(pair.is_named(*name));
    NEN_PROPERTY(!pair.is_named(*name + "x"));
    if (!name->empty()) NEN_PROPERTY(!pair.is_named(std::string_view(*name).substr(1)));
  }
}

inline void check_query(std::string_view input, std::uint32_t seed) {
  static guarded_bytes area(input_bytes_max);
  static guarded_bytes room(input_bytes_max);
  const std::string_view text(area.place(input), input.size());
  const text_pairs wanted = split_query(text);
  const query_pairs seen(text);
  std::size_t i = 0;
  bool is_valid = true;
  for (const query_pair pair : seen) {
    NEN_PROPERTY(i < wanted.size());
    check_pair(pair, wanted[i].first, wanted[i].second, room);
    is_valid = is_valid && pair.is_valid();
    ++i;
  }
  NEN_SAME(i, wanted.size());
  NEN_SAME(seen.is_valid(), is_valid);

  // The first pair of a name, and how many there are.
  for (const auto& [asked, unused] : wanted) {
    const auto name = form_decoded(asked);
    if (!name) continue;
    std::size_t count = 0;
    std::optional<std::string_view> first;
    for (const auto& [raw_name, raw_value] : wanted) {
      if (form_decoded(raw_name) != name) continue;
      ++count;
      if (!first) first = raw_value;
    }
    NEN_SAME(seen.count(*name), count);
    NEN_PROPERTY(seen.has(*name));
    NEN_SAME(seen.find(*name)->raw_value, *first);
    if (count > 8) break;  // each more costs the square
  }

  dice random(seed);
  std::string encoded;
  std::vector<std::string> parts;
  for (std::string_view rest = text.substr(0, 256); !rest.empty();) {
    std::string part(rest.substr(0, 1 + random.below(12)));
    rest.remove_prefix(part.size());
    for (char& c : part) c = c == '\0' ? '0' : c;
    encoded += form_encoded(part, random);
    parts.push_back(part);
    encoded += parts.size() % 2 == 1 ? '=' : '&';
  }
  i = 0;
  for (const query_pair pair : query_pairs(encoded)) {
    NEN_SAME(query_value<16>(pair.raw_name).status(), percent_status::ok);
    const query_value<16> name(pair.raw_name);
    const query_value<16> value(pair.raw_value);
    NEN_SAME(name.view(), parts[i]);
    NEN_SAME(value.view(), i + 1 < parts.size() ? parts[i + 1] : "");
    i += 2;
  }
  NEN_SAME(i, (parts.size() + 1) / 2 * 2);
}

}  // namespace nen::test::fuzz
