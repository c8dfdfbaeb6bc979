// server, L3: what server/http_journal.hpp consists of. Where a thing is off, it has no size.
#pragma once

#include <nen/core/assert.hpp>
#include <nen/core/unique_number.hpp>
#include <nen/http/log_line.hpp>
#include <nen/http/request_id.hpp>
#include <nen/http/response.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace nen::detail {

/// When the request of a connection began.
template <bool Logs>
struct journal_begin {
  std::uint64_t journal_began_ns;
};
template <>
struct journal_begin<false> {};

/// The number of a connection's request.
template <bool Has>
struct journal_number {
  unique_number number;
};
template <>
struct journal_number<false> {};

/// What the log says of an answer that is streamed, as the request is gone when that ends.
struct kept_log_entry {
  bool is_kept;
  log_entry entry;  // its texts are in here
  std::size_t used;
  char bytes[log_target_bytes_max + 2 * log_field_bytes_max + 4 * (log_name_bytes_max + 1) + 3];

  /// Texts that the line will cut anyway are cut here, a byte behind.
  void keep(const log_entry& from) noexcept {
    used = 0;
    entry = from;
    entry.client = copy(from.client, log_name_bytes_max);
    entry.method = copy(from.method, log_name_bytes_max);
    entry.target = copy(from.target, log_target_bytes_max);
    entry.referer = copy(from.referer, log_field_bytes_max);
    entry.user_agent = copy(from.user_agent, log_field_bytes_max);
    entry.request_id = copy(from.request_id, log_name_bytes_max);
    entry.trace_id = copy(from.trace_id, log_name_bytes_max);
  }

 private:
  std::string_view copy(std::string_view text, std::size_t bytes_max) noexcept {
    text = text.substr(0, bytes_max + 1);
    NEN_ASSERT(used + text.size() <= sizeof bytes);
    char* const to = bytes + used;
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    used += text.size();
    return {to, text.size()};
  }
};

/// One for each answer that may be streamed at once.
template <std::uint32_t Streams, bool Logs>
struct kept_log_entries {
  std::array<kept_log_entry, Streams> each;
};
template <std::uint32_t Streams>
struct kept_log_entries<Streams, false> {};

/// The field lines of one answer: those that all have in common, and its request's id.
template <bool Has>
class id_lines {
 public:
  response_defaults with(const response_defaults& common, std::string_view id) noexcept {
    constexpr std::string_view name = "X-Request-Id: ";
    const std::string_view lines = common.lines;
    NEN_ASSERT(lines.size() + name.size() + id.size() + 2 <= sizeof text_);
    char* at = text_;
    for (const std::string_view part : {lines, name, id, std::string_view("\r\n")}) {
      std::memcpy(at, part.data(), part.size());
      at += part.size();
    }
    return {{text_, static_cast<std::size_t>(at - text_)}};
  }

 private:
  char text_[128 + 14 + request_id::bytes_max + 2];
};
template <>
class id_lines<false> {};

/// Puts the field lines of the answer that is being written back when another one, which was
/// written in the middle of it, is done.
template <bool Has>
class lines_keeper {
 public:
  lines_keeper(id_lines<Has>& lines, response_defaults& defaults) noexcept
      : lines_(lines), defaults_(defaults), kept_lines_(lines), kept_defaults_(defaults) {}
  ~lines_keeper() {
    lines_ = kept_lines_;
    defaults_ = kept_defaults_;
  }
  lines_keeper(const lines_keeper&) = delete;
  lines_keeper& operator=(const lines_keeper&) = delete;

 private:
  id_lines<Has>& lines_;
  response_defaults& defaults_;
  id_lines<Has> kept_lines_;
  response_defaults kept_defaults_;
};
template <>
class lines_keeper<false> {
 public:
  lines_keeper(id_lines<false>&, response_defaults&) noexcept {}
};

}  // namespace nen::detail
