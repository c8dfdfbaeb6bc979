// Properties of entity tags and preconditions: lists of tags against a reader of characters, and
// RFC 9110 §13.2.2 step by step.
#pragma once

#include <cstdint>
#include <iterator>
#include <nen/http/conditional.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/fuzz.hpp"

namespace nen::test::fuzz {

/// The elements of a list that may have commas in quotes; nothing when one is no entity tag.
inline std::optional<std::vector<std::string>> split_tags(std::string_view list) {
  std::vector<std::string> tags(1);
  bool in_quotes = false;
  for (const char c : list) {
    if (c == '"') in_quotes = !in_quotes;
    if (c == ',' && !in_quotes) {
      tags.emplace_back();
    } else {
      tags.back() += c;
    }
  }
  std::vector<std::string> result;
  for (const std::string& tag : tags) {
    std::string_view text = trim_ows(tag);
    if (text.empty()) continue;
    result.emplace_back(text);
    if (text.starts_with("W/")) text.remove_prefix(2);
    if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::nullopt;
    for (const char c : text.substr(1, text.size() - 2)) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte <= 0x20 || byte == '"' || byte == 0x7f) return std::nullopt;
    }
  }
  return result;
}

inline std::string opaque_of(std::string_view tag) {
  return std::string(tag.substr(tag.starts_with("W/") ? 2 : 0));
}

/// One field of a name, judged by hand.
inline tag_list expected_list(const std::vector<std::string>& lines,
                              const std::optional<std::string>& current, bool exists, bool strong) {
  if (lines.empty()) return tag_list::absent;
  if (lines.size() == 1 && trim_ows(lines[0]) == "*") {
    return exists ? tag_list::matches : tag_list::differs;
  }
  std::size_t count = 0;
  bool matches = false;
  for (const std::string& line : lines) {
    const auto tags = split_tags(line);
    if (!tags) return tag_list::malformed;
    for (const std::string& tag : *tags) {
      ++count;
      if (!exists || !current || opaque_of(tag) != opaque_of(*current)) continue;
      matches |= !strong || (!tag.starts_with("W/") && !current->starts_with("W/"));
    }
  }
  if (count == 0) return tag_list::malformed;
  return matches ? tag_list::matches : tag_list::differs;
}

/// RFC 9110 §13.2.2, steps 1 to 4.
inline precondition expected_outcome(method m, tag_list if_match, bool unmodified_failed,
                                     tag_list if_none_match, bool not_modified_since) {
  const bool reads = m == method::get || m == method::head;
  if (if_match == tag_list::differs || if_match == tag_list::malformed) return precondition::failed;
  if (if_match == tag_list::absent && unmodified_failed) return precondition::failed;
  if (if_none_match == tag_list::matches) {
    return reads ? precondition::not_modified : precondition::failed;
  }
  if (if_none_match == tag_list::malformed && !reads) return precondition::failed;
  if (if_none_match == tag_list::absent && reads && not_modified_since) {
    return precondition::not_modified;
  }
  return precondition::proceed;
}

inline void check_entity_tag(std::string_view text) {
  const auto tag = entity_tag::parse(text);
  const auto split = split_tags(text);
  const bool is_one = split && split->size() == 1 && (*split)[0] == text;
  NEN_SAME(tag.has_value(), is_one);
  if (!tag) return;
  NEN_SAME(tag->text(), text);
  NEN_SAME(tag->opaque(), opaque_of(text));
  NEN_SAME(tag->is_weak(), text.starts_with('W'));
}

/// A list of some tags that are easily confused, or whatever the input has.
inline std::string any_list(choices& from, std::string_view text) {
  constexpr std::string_view tags[] = {"\"a\"", "W/\"a\"", "\"b\"", "W/\"b\"", "\"a,b\"", "", "*"};
  const std::size_t count = from.below(5);
  if (count == 0) return std::string(text);
  std::string list;
  for (std::size_t i = 0; i < count; ++i) {
    if (i != 0) list += from.flag() ? ", " : ",";
    list += tags[from.below(std::size(tags))];
  }
  return list;
}

inline void check_tags(choices from) {
  constexpr std::string_view names[] = {"If-None-Match", "If-Match", "if-none-match",
                                        "If-Modified-Since", "If-Unmodified-Since"};
  constexpr std::string_view moment = "Sun, 06 Nov 1994 08:49:37 GMT";
  const std::uint8_t flags = from.byte();
  const auto m = static_cast<method>(from.below(method_count));
  const std::int64_t modified = 784'111'777 + from.byte() - 128;  // around that moment
  const std::string etag = any_list(from, from.text());
  const std::string first = any_list(from, from.text());
  const std::string_view text = from.rest();
  check_entity_tag(etag);
  check_entity_tag(first);
  check_entity_tag(text);

  // Two fields with tags, and a date where the flags say so.
  std::string bytes;
  std::vector<field_ref> refs;
  const auto add = [&](std::string_view name, std::string_view value) {
    const auto at = static_cast<std::uint16_t>(bytes.size());
    const auto behind_name = static_cast<std::uint16_t>(at + name.size());
    bytes.append(name).append(value);
    refs.push_back({at, static_cast<std::uint16_t>(name.size()), behind_name,
                    static_cast<std::uint16_t>(value.size())});
  };
  std::vector<std::string> lines[2];
  const auto add_tags = [&](std::size_t name, std::string_view value) {
    add(names[name], value);
    lines[name == 1 ? 1 : 0].emplace_back(value);
  };
  if ((flags & 1) != 0) add_tags(flags >> 1 & 1, first);
  if ((flags & 128) != 0) add_tags((flags & 4) != 0 ? 1 : 2, text);
  if ((flags & 8) != 0) add(names[3], moment);
  if ((flags & 16) != 0) add(names[4], moment);

  request_head head{};
  head.method = m;
  head.field_count = static_cast<std::uint16_t>(refs.size());
  const request req(head, bytes.data(), refs.data(), {});
  validators current;
  current.etag = entity_tag::parse(etag);
  current.exists = (flags & 32) == 0;
  if ((flags & 64) != 0) current.last_modified = modified;
  std::optional<std::string> own;
  if (current.etag) own = current.etag->text();

  const auto weak = expected_list(lines[0], own, current.exists, false);
  const auto strong = expected_list(lines[1], own, current.exists, true);
  NEN_SAME(compare_tags(req.fields(), "IF-NONE-MATCH", current, tag_comparison::weak), weak);
  NEN_SAME(compare_tags(req.fields(), "IF-MATCH", current, tag_comparison::strong), strong);
  const bool is_dated = current.exists && current.last_modified;
  const bool later = is_dated && modified > 784'111'777;
  const bool selects = m != method::connect && m != method::options && m != method::trace;
  NEN_SAME(judge_preconditions(req, current),
           selects ? expected_outcome(m, strong, (flags & 16) != 0 && later, weak,
                                      (flags & 8) != 0 && is_dated && !later)
                   : precondition::proceed);
}

}  // namespace nen::test::fuzz
