// Reads a request head the slow and obvious way, line by line, as RFC 9112 is written: what the
// parser accepts and what it makes of it is compared with this.
#pragma once

#include <algorithm>
#include <cstddef>
#include <nen/core/ascii.hpp>
#include <nen/http/host.hpp>
#include <nen/http/method.hpp>
#include <nen/http/parse_result.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nen::test::fuzz {

struct reference_head {
  enum class verdict { accepted, rejected, incomplete };
  verdict is = verdict::rejected;
  std::size_t bytes = 0;
  std::string method, target, path = "/", query, host;
  int minor = 0;
  std::vector<std::pair<std::string, std::string>> fields;
  bool chunked = false;
  bool keep_alive = false;
  /// llhttp refuses some heads that are valid, which is safe: what is accepted is compared all the
  /// same.
  bool llhttp_may_refuse = false;
  /// llhttp passes over single CRs and LFs in front of a message, and waits for the end of what may
  /// open an HTTP/2 connection (RFC 9113 §3.4). Such heads are refused later than they could be.
  bool llhttp_may_wait = false;

  std::vector<std::string> values(std::string_view name) const {
    std::vector<std::string> found;
    for (const auto& [n, v] : fields) {
      if (equals_ignoring_case(n, name)) found.push_back(v);
    }
    return found;
  }
  /// The elements of all fields of this name, RFC 9110 §5.6.1.
  std::vector<std::string> list(std::string_view name) const {
    std::vector<std::string> elements;
    for (const std::string& value : values(name)) {
      std::size_t begin = 0;
      for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
        end = value.find(',', begin);
        const std::string piece = value.substr(begin, end == value.npos ? value.npos : end - begin);
        elements.emplace_back(trim_ows(piece));
      }
    }
    return elements;
  }
};

namespace detail {

inline bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

inline bool read_request_line(std::string_view line, reference_head& head) {
  const std::size_t first = line.find(' ');
  const std::size_t second = line.find(' ', first + 1);
  if (first == line.npos || second == line.npos) return false;
  head.method = line.substr(0, first);
  head.target = line.substr(first + 1, second - first - 1);
  const std::string_view version = line.substr(second + 1);
  if (version != "HTTP/1.0" && version != "HTTP/1.1") return false;
  head.minor = version.back() - '0';
  for (const std::string_view known :
       {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"}) {
    if (head.method == known) return true;
  }
  return false;
}

inline bool read_field(std::string_view line, reference_head& head) {
  const std::size_t colon = line.find(':');
  if (colon == line.npos || !is_token(line.substr(0, colon))) return false;
  for (const char c : line.substr(colon + 1)) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7f) return false;
  }
  // It takes only spaces behind a Content-Length, where RFC 9112 §5 allows tabs too.
  if (equals_ignoring_case(line.substr(0, colon), "content-length")) {
    head.llhttp_may_refuse |= line.substr(line.find_last_not_of(" \t") + 1).find('\t') != line.npos;
  }
  head.fields.emplace_back(line.substr(0, colon), trim_ows(line.substr(colon + 1)));
  return true;
}

/// RFC 9112 §3.2, but for what browsers send although no URI may have it.
inline bool judge_target(reference_head& head) {
  const std::string& target = head.target;
  if (target.empty() || !is_visible(target)) return false;
  if (target.find_first_of("#\"<>") != target.npos) return false;
  if (target.substr(0, target.find('?')).find_first_of("\\^`{}") != target.npos) return false;
  std::string rest = target;
  const auto hosts = head.values("host");
  if (!hosts.empty()) head.host = hosts[0];
  if (target == "*") {
    head.path = target;
    return head.method == "OPTIONS";
  }
  if (target[0] != '/') {
    // https is for connections with TLS, RFC 9110 §7.4.
    if (!equals_ignoring_case(target.substr(0, 7), "http://")) return false;
    const std::size_t end = target.find_first_of("/?", 7);
    head.host = target.substr(7, end == target.npos ? target.npos : end - 7);
    if (!is_host_and_port(head.host)) return false;
    rest = end == target.npos ? "" : target.substr(end);
  }
  const std::size_t mark = rest.find('?');
  if (mark != 0 && !rest.empty()) head.path = rest.substr(0, mark);
  if (mark != rest.npos) head.query = rest.substr(mark + 1);
  return true;
}

/// RFC 9112 §6: at most one framing, and nothing that two recipients could read in two ways.
inline bool judge_framing(reference_head& head) {
  const auto lengths = head.values("content-length");
  if (lengths.size() > 1) return false;
  if (lengths.size() == 1 && !parse_decimal<std::uint64_t>(lengths[0])) return false;
  const auto codings = head.list("transfer-encoding");
  if (codings.empty()) return true;
  head.chunked = true;
  // Another coding than chunked is not served.
  return codings.size() == 1 && equals_ignoring_case(codings[0], "chunked") && lengths.empty() &&
         head.minor == 1;
}

inline bool judge_fields(reference_head& head) {
  const auto hosts = head.values("host");
  if (hosts.size() > 1 || (hosts.empty() && head.minor == 1)) return false;
  if (!hosts.empty() && !hosts[0].empty() && !is_host_and_port(hosts[0])) return false;
  // In HTTP/1.0 an expectation of 100-continue is ignored and any other one is not.
  for (const std::string& value : head.values("expect")) {
    if (!equals_ignoring_case(value, "100-continue")) return false;
  }
  head.keep_alive = head.minor == 1;
  for (const std::string& option : head.list("connection")) {
    if (equals_ignoring_case(option, "keep-alive")) head.keep_alive = true;
  }
  for (const std::string& option : head.list("connection")) {
    if (equals_ignoring_case(option, "close")) head.keep_alive = false;
  }
  return true;
}

}  // namespace detail

inline reference_head read_head(std::string_view input, const parse_limits& limits) {
  reference_head head;
  std::size_t at = 0;
  while (input.substr(at, 2) == "\r\n") at += 2;  // RFC 9112 §2.2
  head.llhttp_may_wait =
      input.substr(at).find_first_of("\r\n") == 0 || input.substr(at).starts_with("PRI ");
  std::vector<std::string_view> lines;
  for (;;) {
    const std::size_t end = input.find("\r\n", at);
    if (end == input.npos || end + 2 > limits.head_bytes_max) {
      const bool too_long = input.size() >= limits.head_bytes_max;
      head.is = too_long ? reference_head::verdict::rejected : reference_head::verdict::incomplete;
      return head;
    }
    const std::string_view line = input.substr(at, end - at);
    at = end + 2;
    if (line.empty()) break;
    lines.push_back(line);
  }
  head.bytes = at;
  if (lines.empty() || !detail::read_request_line(lines[0], head)) return head;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (!detail::read_field(lines[i], head)) return head;
  }
  if (head.fields.size() > limits.fields_max || head.target.size() > limits.target_bytes_max) {
    return head;
  }
  const bool fits =
      detail::judge_target(head) && detail::judge_framing(head) && detail::judge_fields(head);
  head.is = fits ? reference_head::verdict::accepted : reference_head::verdict::rejected;
  return head;
}

}  // namespace nen::test::fuzz
