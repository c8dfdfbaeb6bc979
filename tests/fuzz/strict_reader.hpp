// Reads one response as strictly as RFC 9112 allows, knowing nothing of who wrote it.
#pragma once

#include <cstdint>
#include <nen/core/ascii.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nen::test::fuzz {

struct read_response {
  int code = 0;
  std::string reason;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
};

/// @param to_head  the response is to a HEAD request
/// @returns        nothing when anything is not as it has to be, or bytes are left over
inline std::optional<read_response> read_strictly(std::string_view bytes, bool to_head) {
  read_response r;
  std::vector<std::string_view> lines;
  for (;;) {
    const std::size_t end = bytes.find_first_of("\r\n");
    if (end == bytes.npos || bytes.substr(end, 2) != "\r\n") return std::nullopt;
    const std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end + 2);
    if (line.empty()) break;
    for (const char c : line) {
      const auto byte = static_cast<unsigned char>(c);
      if ((byte < 0x20 && c != '\t') || byte == 0x7f) return std::nullopt;
    }
    lines.push_back(line);
  }
  if (lines.empty() || !lines[0].starts_with("HTTP/1.1 ") || lines[0].size() < 13) {
    return std::nullopt;
  }
  const auto code = parse_decimal<std::uint16_t>(lines[0].substr(9, 3));
  if (!code || *code < 100 || lines[0][12] != ' ') return std::nullopt;
  r.code = *code;
  r.reason = lines[0].substr(13);

  std::optional<std::uint64_t> length;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::size_t colon = lines[i].find(':');
    if (colon == lines[i].npos || !is_token(lines[i].substr(0, colon))) return std::nullopt;
    const std::string_view name = lines[i].substr(0, colon);
    const std::string_view value = trim_ows(lines[i].substr(colon + 1));
    r.fields.emplace_back(name, value);
    if (equals_ignoring_case(name, "Transfer-Encoding")) return std::nullopt;
    if (!equals_ignoring_case(name, "Content-Length")) continue;
    if (length) return std::nullopt;  // twice
    length = parse_decimal<std::uint64_t>(value);
    if (!length) return std::nullopt;
  }
  // RFC 9112 §6.3: these end with the head, and RFC 9110 §8.6: these have no length at all.
  const bool is_bare = r.code < 200 || r.code == 204 || r.code == 304;
  if (is_bare ? length.has_value() : !length) return std::nullopt;
  if (bytes.size() != (is_bare || to_head ? 0 : *length)) return std::nullopt;
  r.body = bytes;
  return r;
}

}  // namespace nen::test::fuzz
