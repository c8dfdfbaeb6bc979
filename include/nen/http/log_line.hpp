// http, L1: one line of the access log about one request, for people (combined) or programs (JSON).
// Whatever a client sent, it is exactly one line.
#pragma once

#include <nen/core/ascii.hpp>
#include <nen/core/assert.hpp>
#include <nen/core/log_options.hpp>
#include <nen/http/date.hpp>
#include <nen/http/log_text.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nen {

/// What a line says. Empty texts are unknown; so are a status and a version below 0.
struct log_entry {
  std::int64_t unix_seconds = 0;
  std::string_view client = {};
  std::string_view method = {};
  std::string_view target = {};
  int version_minor = -1;
  int status = -1;
  std::uint64_t body_bytes = 0;
  std::uint64_t microseconds = 0;
  std::string_view referer = {};
  std::string_view user_agent = {};
  std::string_view request_id = {};
  std::string_view trace_id = {};
};

/// The longest line with its end. It is short enough to go whole into a pipe (PIPE_BUF, pipe(7)).
inline constexpr std::size_t log_line_bytes_max = 2560;

/// Texts longer than this, escaped, are cut, and end in "...".
inline constexpr std::size_t log_target_bytes_max = 1024;
inline constexpr std::size_t log_field_bytes_max = 512;
inline constexpr std::size_t log_name_bytes_max = 64;

/// Writes lines of one format. Zero is one that writes the combined format.
class log_line_writer {
 public:
  constexpr log_line_writer() noexcept = default;
  constexpr explicit log_line_writer(log_format format) noexcept : format_(format) {}

  /// @param out  room for log_line_bytes_max bytes
  /// @returns    the end of the line, behind its LF
  inline char* write(char* out, const log_entry& entry) noexcept;

 private:
  inline char* write_combined(char* out, const log_entry& entry) const noexcept;
  inline char* write_json(char* out, const log_entry& entry) const noexcept;
  inline void set_time(std::int64_t unix_seconds) noexcept;
  std::string_view time() const noexcept { return {time_, time_bytes_}; }

  log_format format_ = log_format::combined;
  std::uint8_t time_bytes_ = 0;  // 0: none was written yet
  char time_[30] = {};           // of second_, because most lines are of the same second
  std::int64_t second_ = 0;
};

inline char* log_line_writer::write(char* out, const log_entry& entry) noexcept {
  if (second_ != entry.unix_seconds || time_bytes_ == 0) set_time(entry.unix_seconds);
  char* const end =
      format_ == log_format::json ? write_json(out, entry) : write_combined(out, entry);
  NEN_ASSERT(end <= out + log_line_bytes_max);
  return end;
}

namespace detail {

/// "0.000123"
inline char* put_log_seconds(char* out, std::uint64_t microseconds) noexcept {
  out = write_decimal(out, microseconds / 1'000'000);
  *out++ = '.';
  auto rest = static_cast<std::uint32_t>(microseconds % 1'000'000);
  for (std::uint32_t place = 100'000; place != 0; place /= 10) {
    *out++ = static_cast<char>('0' + rest / place);
    rest %= place;
  }
  return out;
}

inline char* put_combined(char* out, std::string_view text, std::size_t bytes_max) noexcept {
  return put_log_text<combined_piece>(out, text.empty() ? "-" : text, bytes_max);
}

/// A member with the comma in front of it: `,"name":"text"`, or null for an empty text.
inline char* put_json(char* out, std::string_view name, std::string_view text,
                      std::size_t bytes_max) noexcept {
  out = put_log_bytes(out, ",\"");
  out = put_log_bytes(out, name);
  if (text.empty()) return put_log_bytes(out, "\":null");
  out = put_log_bytes(out, "\":\"");
  out = put_log_text<json_piece>(out, text, bytes_max);
  *out++ = '"';
  return out;
}

}  // namespace detail

inline char* log_line_writer::write_combined(char* out, const log_entry& entry) const noexcept {
  using detail::put_combined;
  using detail::put_log_bytes;
  out = put_combined(out, entry.client, log_name_bytes_max);
  out = put_log_bytes(out, " - - [");
  out = put_log_bytes(out, time());
  out = put_log_bytes(out, "] \"");
  if (entry.method.empty()) {
    *out++ = '-';
  } else {
    out = put_combined(out, entry.method, log_name_bytes_max);
    *out++ = ' ';
    out = put_combined(out, entry.target, log_target_bytes_max);
    if (entry.version_minor >= 0) {
      out = put_log_bytes(out, " HTTP/1.");
      *out++ = static_cast<char>('0' + entry.version_minor % 10);
    }
  }
  out = put_log_bytes(out, "\" ");
  out = entry.status < 0 ? put_log_bytes(out, "-")
                         : write_decimal(out, static_cast<std::uint64_t>(entry.status));
  *out++ = ' ';
  out = write_decimal(out, entry.body_bytes);
  out = put_log_bytes(out, " \"");
  out = put_combined(out, entry.referer, log_field_bytes_max);
  out = put_log_bytes(out, "\" \"");
  out = put_combined(out, entry.user_agent, log_field_bytes_max);
  out = put_log_bytes(out, "\" ");
  out = detail::put_log_seconds(out, entry.microseconds);
  *out++ = ' ';
  out = put_combined(out, entry.request_id, log_name_bytes_max);
  *out++ = ' ';
  out = put_combined(out, entry.trace_id, log_name_bytes_max);
  *out++ = '\n';
  return out;
}

inline char* log_line_writer::write_json(char* out, const log_entry& entry) const noexcept {
  using detail::put_json;
  using detail::put_log_bytes;
  out = put_log_bytes(out, "{\"time\":\"");
  out = put_log_bytes(out, time());
  out = put_log_bytes(out, "\"");
  out = put_json(out, "client", entry.client, log_name_bytes_max);
  out = put_json(out, "method", entry.method, log_name_bytes_max);
  out = put_json(out, "target", entry.target, log_target_bytes_max);
  const char version[] = {'1', '.', static_cast<char>('0' + entry.version_minor % 10)};
  const std::string_view known_version(version, entry.version_minor < 0 ? 0 : sizeof version);
  out = put_json(out, "version", known_version, log_name_bytes_max);
  out = put_log_bytes(out, ",\"status\":");
  out = entry.status < 0 ? put_log_bytes(out, "null")
                         : write_decimal(out, static_cast<std::uint64_t>(entry.status));
  out = put_log_bytes(out, ",\"bytes\":");
  out = write_decimal(out, entry.body_bytes);
  out = put_log_bytes(out, ",\"seconds\":");
  out = detail::put_log_seconds(out, entry.microseconds);
  out = put_json(out, "referer", entry.referer, log_field_bytes_max);
  out = put_json(out, "user_agent", entry.user_agent, log_field_bytes_max);
  out = put_json(out, "request_id", entry.request_id, log_name_bytes_max);
  out = put_json(out, "trace_id", entry.trace_id, log_name_bytes_max);
  return put_log_bytes(out, "}\n");
}

/// "06/Nov/1994:08:49:37 +0000" or "1994-11-06T08:49:37Z".
inline void log_line_writer::set_time(std::int64_t unix_seconds) noexcept {
  second_ = unix_seconds;
  char fixdate[imf_fixdate_size];  // "Sun, 06 Nov 1994 08:49:37 GMT"
  write_imf_fixdate(fixdate, unix_seconds);
  const std::string_view text(fixdate, sizeof fixdate);
  const auto day = text.substr(5, 2), year = text.substr(12, 4), clock = text.substr(17, 8);
  char* out = time_;
  const auto put = [&out](std::string_view part) { out = detail::put_log_bytes(out, part); };
  if (format_ == log_format::json) {
    constexpr std::int64_t seconds_per_day = 86'400;
    const std::int64_t days =
        (unix_seconds - (unix_seconds < 0 ? seconds_per_day - 1 : 0)) / seconds_per_day;
    put(year), put("-");
    out = detail::write_two_digits(out, detail::civil_from_days(days).month);
    put("-"), put(day), put("T"), put(clock), put("Z");
  } else {
    put(day), put("/"), put(text.substr(8, 3)), put("/"), put(year), put(":"), put(clock);
    put(" +0000");
  }
  time_bytes_ = static_cast<std::uint8_t>(out - time_);
}

}  // namespace nen
