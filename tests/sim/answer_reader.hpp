// Takes a stream of answers apart, strictly and as it comes.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "support/client.hpp"

namespace nen::test::sim {

/// One complete answer at the front of a stream, or none yet.
struct read_result {
  bool complete = false;
  answer got;
  std::size_t bytes = 0;
};

/// The content of a chunked body, RFC 9112 §7.1; trailers are read over.
/// @returns  false when it is not complete
inline bool read_chunks(std::string_view& in, std::string& content) {
  while (true) {
    const auto line_end = in.find("\r\n");
    if (line_end == in.npos) return false;
    std::size_t digits = 0;
    const auto size = std::stoul(std::string(in.substr(0, line_end)), &digits, 16);
    if (digits != line_end) throw std::runtime_error("bad chunk size");
    in.remove_prefix(line_end + 2);
    if (size == 0) break;
    if (in.size() < size + 2) return false;
    content += in.substr(0, size);
    if (in.substr(size, 2) != "\r\n") throw std::runtime_error("no CRLF behind a chunk");
    in.remove_prefix(size + 2);
  }
  while (true) {
    const auto line_end = in.find("\r\n");
    if (line_end == in.npos) return false;
    in.remove_prefix(line_end + 2);
    if (line_end == 0) return true;
  }
}

/// @param to_head  the request was HEAD: no body follows
inline read_result read_answer(std::string_view in, bool to_head) {
  read_result result;
  const auto whole = in.size();
  const auto head_end = in.find("\r\n\r\n");
  if (head_end == in.npos) return result;
  result.got = parse_answer_head(in.substr(0, head_end + 2));
  in.remove_prefix(head_end + 4);
  const answer& a = result.got;
  const bool bodiless = to_head || a.status < 200 || a.status == 204 || a.status == 304;
  const bool chunked = a.count("Transfer-Encoding") != 0;
  if (chunked && a.field("Transfer-Encoding") != "chunked")
    throw std::runtime_error("unknown Transfer-Encoding");
  if (a.count("Content-Length") + a.count("Transfer-Encoding") != 1 && a.status >= 200)
    throw std::runtime_error("not exactly one framing");
  if (bodiless) {
    // nothing follows the head
  } else if (chunked) {
    if (!read_chunks(in, result.got.body)) return result;
  } else {
    const auto size = std::stoul(a.field("Content-Length"));
    if (in.size() < size) return result;
    result.got.body = in.substr(0, size);
    in.remove_prefix(size);
  }
  result.complete = true;
  result.bytes = whole - in.size();
  return result;
}

}  // namespace nen::test::sim
