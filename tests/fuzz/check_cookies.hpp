// Properties of cookies: what is read from a Cookie field is what splitting it by hand finds, and a
// Set-Cookie that was written says to a client just what the application asked for.
#pragma once

#include <cstdint>
#include <map>
#include <nen/http/cookie.hpp>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "fuzz/fuzz.hpp"

namespace nen::test::fuzz {

inline void check_cookie_field(std::string_view input) {
  static guarded_bytes area(input_bytes_max);
  const std::string_view text(area.place(input), input.size());
  std::vector<cookie_pair> wanted;
  for (std::size_t begin = 0; begin <= text.size();) {
    std::size_t end = text.find(';', begin);
    if (end == text.npos) end = text.size();
    const std::string_view piece = text.substr(begin, end - begin);
    begin = end + 1;
    const std::size_t equals = piece.find('=');
    if (equals == piece.npos || trim_ows(piece.substr(0, equals)).empty()) continue;
    wanted.push_back({trim_ows(piece.substr(0, equals)), trim_ows(piece.substr(equals + 1))});
  }

  // In one field, and in two of the same request with another one between them.
  const auto size = static_cast<std::uint16_t>(text.size());
  const field_ref refs[] = {{0, 0, 0, size}, {0, 0, 0, size}, {0, 0, 0, size}};
  std::string bytes(text);
  const std::string name = "cOOKIE";
  bytes += name;
  field_ref named[3];
  for (std::size_t i = 0; i < 3; ++i) {
    named[i] = refs[i];
    named[i].name_begin = size;
    named[i].name_size = static_cast<std::uint16_t>(i == 1 ? name.size() - 1 : name.size());
  }
  const cookie_pairs one(text);
  const cookie_pairs two(fields(bytes.data(), named, 3));
  std::size_t i = 0;
  for (const cookie_pair pair : one) {
    NEN_PROPERTY(i < wanted.size());
    NEN_SAME(pair.name, wanted[i].name);
    NEN_SAME(pair.value, wanted[i].value);
    ++i;
  }
  NEN_SAME(i, wanted.size());
  i = 0;
  for (const cookie_pair pair : two) {
    NEN_PROPERTY(i < 2 * wanted.size());
    NEN_SAME(pair.name, wanted[i % wanted.size()].name);
    NEN_SAME(pair.value, wanted[i % wanted.size()].value);
    ++i;
  }
  NEN_SAME(i, 2 * wanted.size());

  std::map<std::string_view, std::pair<std::string_view, std::size_t>> by_name;
  for (const cookie_pair& pair : wanted) {
    auto& [first, count] = by_name.try_emplace(pair.name, pair.value, 0).first->second;
    ++count;
  }
  for (const auto& [asked, found] : by_name) {
    NEN_SAME(one.find(asked), std::optional(found.first));
    NEN_SAME(one.count(asked), found.second);
    NEN_SAME(two.count(asked), 2 * found.second);
  }
}

/// What a client makes of a Set-Cookie field, RFC 6265 §5.2.
struct client_cookie {
  std::string name, value;
  std::map<std::string, std::string> attributes;
  std::size_t attribute_count = 0;
};

inline client_cookie read_set_cookie(std::string_view text) {
  client_cookie seen;
  const auto take = [&] {
    const std::string_view piece = text.substr(0, text.find(';'));
    text.remove_prefix(piece.size() == text.size() ? piece.size() : piece.size() + 1);
    const std::size_t equals = piece.find('=');
    std::pair<std::string, std::string> pair(trim_ows(piece.substr(0, equals)), "");
    if (equals != piece.npos) pair.second = trim_ows(piece.substr(equals + 1));
    return pair;
  };
  std::tie(seen.name, seen.value) = take();
  while (!text.empty()) {
    seen.attributes.insert(take());
    ++seen.attribute_count;
  }
  return seen;
}

inline void check_set_cookie(choices from) {
  cookie c;
  const std::uint8_t flags = from.byte();
  c.secure = (flags & 1) != 0;
  c.http_only = (flags & 2) != 0;
  c.same_site = static_cast<same_site>(flags >> 2 & 3);
  if ((flags & 16) != 0) c.max_age = from.number() >> from.below(32);
  if ((flags & 32) != 0) {
    c.expires = (static_cast<std::int64_t>(from.number()) << 7) - 20'000'000'000;
  }
  if ((flags & 64) != 0) c.domain = from.text();
  std::string path = "/";
  if ((flags & 128) != 0) c.path = from.flag() ? from.text() : path.append(from.text());
  constexpr std::string_view names[] = {"c", "__Host-c", "__secure-c"};
  const std::size_t kind = from.below(4);
  c.name = kind == 3 ? from.text() : names[kind];
  c.value = from.rest();

  char room[cookie_bytes_max];
  const cookie_text written = write_cookie(c, room);
  NEN_SAME(written.fault, check_cookie(c));
  if (written.fault != cookie_fault::none) {
    NEN_PROPERTY(written.text.empty());
    return;
  }
  for (const char byte : written.text) NEN_PROPERTY(byte >= 0x20 && byte < 0x7f);

  const client_cookie seen = read_set_cookie(written.text);
  NEN_SAME(seen.name, c.name);
  NEN_SAME(seen.value, c.value);
  const bool forget = c.max_age == 0U;
  const auto attribute = [&](const char* name) {
    const auto found = seen.attributes.find(name);
    return found == seen.attributes.end() ? "(none)" : found->second;
  };
  std::size_t count = 0;
  const auto expect = [&](const char* name, bool is_set, std::string_view value) {
    NEN_SAME(attribute(name), is_set ? std::string(value) : "(none)");
    count += is_set ? 1 : 0;
  };
  char date[imf_fixdate_size] = {};
  if (c.expires || forget) write_imf_fixdate(date, forget ? 0 : *c.expires);
  expect("Expires", c.expires || forget, {date, sizeof date});
  expect("Max-Age", c.max_age && !forget, std::to_string(c.max_age.value_or(0)));
  expect("Domain", !c.domain.empty(), c.domain);
  expect("Path", !c.path.empty(), c.path);
  expect("Secure", c.secure, "");
  expect("HttpOnly", c.http_only, "");
  constexpr std::string_view sites[] = {"", "Lax", "Strict", "None"};
  expect("SameSite", c.same_site != same_site::unset, sites[static_cast<int>(c.same_site)]);
  NEN_SAME(seen.attribute_count, count);

  // The client sends it back.
  const std::string back = std::string(c.name) + "=" + std::string(c.value);
  NEN_SAME(cookie_pairs(back).find(c.name), std::optional(c.value));
}

}  // namespace nen::test::fuzz
