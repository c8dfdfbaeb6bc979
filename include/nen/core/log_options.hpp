// core, L0: what a server writes into its access log, and where to.
#pragma once

#include <cstdint>
#include <string_view>

namespace nen {

/// How a line of the access log is written.
enum class log_format : std::uint8_t {
  /// As Apache's "combined", with three more at the end: the seconds that it took, the request's id
  /// and its trace's. What is unknown is "-".
  ///   192.0.2.7 - - [06/Nov/1994:08:49:37 +0000] "GET /a?b HTTP/1.1" 200 512 "-" "curl/8" 0.000123
  ///   4bf9… 0af7…                                                    (all of it on one line)
  /// In quotes, `"`, `\` and everything but visible ASCII is \xHH.
  combined,
  /// An object with always the same members (RFC 8259); what is unknown is null:
  ///   time        string, RFC 3339 in UTC, when the answer was complete
  ///   client      string, the client's address without its port
  ///   method      string          target   string, as it was sent
  ///   version     string, "1.1"   status   number
  ///   bytes       number, of the answer's body
  ///   seconds     number, from the request's first byte to the answer's last one
  ///   referer, user_agent, request_id, trace_id     strings
  json,
};

/// The access log of a server with config::log_bytes. All shards write to the same descriptor,
/// whole lines at once. Lines that find no room, because the descriptor takes none, are left out
/// and counted (shard_counters::log_lines_dropped): no request ever waits for the log.
struct access_log_options {
  /// A file that is appended to, and made where there is none; readable by its owner and group.
  /// server::reopen_log(), and SIGHUP in run(), open it anew, after somebody has renamed it.
  std::string_view path = {};
  /// Instead of a path: a descriptor of the caller's, which stays open until the server has ended.
  /// A file should be open for appending (O_APPEND). -1: none.
  int descriptor = -1;
  log_format format = log_format::combined;
  /// One request of so many, of each shard; 0 and 1: every one.
  std::uint32_t sample = 1;
  /// Answers with this status and above are logged whatever the sample is.
  std::uint16_t always_from_status = 500;
  /// Answers with a status below are never logged; 400: errors only.
  std::uint16_t status_min = 0;

  constexpr bool is_wanted() const noexcept { return descriptor >= 0 || !path.empty(); }
};

}  // namespace nen
