// Writes requests, and reads them from a file.
#include "requests.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nen/core/ascii.hpp>
#include <nen/ws/frame.hpp>

namespace load {
namespace {

/// A request before it is bytes.
struct draft {
  std::string method = "GET";
  std::string target = "/";
  std::vector<std::string> fields;
  std::string body;
};

bool has_field(const draft& d, std::string_view name) {
  for (const std::string_view line : d.fields)
    if (nen::equals_ignoring_case(line.substr(0, line.find(':')), name)) return true;
  return false;
}

std::string write(const draft& d, const options& o, bool is_closing) {
  std::string out = d.method + ' ' + d.target + " HTTP/1.1\r\n";
  if (!has_field(d, "Host")) out += "Host: " + o.authority + "\r\n";
  for (const auto& line : d.fields) out += line + "\r\n";
  const bool has_body = !d.body.empty() || d.method == "POST" || d.method == "PUT";
  if (has_body && !has_field(d, "Content-Length") && !has_field(d, "Transfer-Encoding"))
    out += "Content-Length: " + std::to_string(d.body.size()) + "\r\n";
  if (is_closing && !has_field(d, "Connection")) out += "Connection: close\r\n";
  return out + "\r\n" + d.body;
}

request finish(const draft& d, const options& o) {
  return {write(d, o, false), write(d, o, true), d.method == "HEAD"};
}

[[noreturn]] void refuse(const std::string& file, std::string_view line, const char* why) {
  std::fprintf(stderr, line.empty() ? "load: %s %.*s%s\n" : "load: %s: \"%.*s\" %s\n", file.c_str(),
               static_cast<int>(line.size()), line.data(), why);
  std::exit(2);
}

/// One request of the file: request line, fields, an empty line, and the body to the end.
draft read_draft(const std::string& file, std::string_view text) {
  const auto next_line = [&text] {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  };
  const std::string_view first = next_line();
  const auto space = first.find(' ');
  if (space == first.npos || space == 0) refuse(file, first, "is no request line (\"GET /path\")");
  draft d{.method = std::string(first.substr(0, space)), .target = {}, .fields = {}, .body = {}};
  const std::string_view rest = first.substr(space + 1);
  d.target = rest.substr(0, rest.find(' '));
  while (!text.empty()) {
    const std::string_view line = next_line();
    if (line.empty()) break;
    if (line.find(':') == line.npos) refuse(file, line, "is no field (\"Name: value\")");
    d.fields.emplace_back(line);
  }
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  d.body = text;
  return d;
}

std::vector<request> read_file(const options& o) {
  std::ifstream stream(o.file, std::ios::binary);
  if (!stream) refuse(o.file, "", "cannot be read");
  const std::string content{std::istreambuf_iterator<char>(stream), {}};
  std::string_view all = content;
  std::vector<request> requests;
  std::size_t begin = 0;  // of the present request
  std::size_t line = 0;   // of the line that is looked at
  while (line <= all.size()) {
    const auto end = std::min(all.find('\n', line), all.size());
    const bool separates = all.substr(line, end - line).starts_with("###");
    if (separates || end == all.size()) {
      auto text = all.substr(begin, (separates ? line : end) - begin);
      while (text.starts_with('\n') || text.starts_with('\r')) text.remove_prefix(1);
      if (!text.empty()) requests.push_back(finish(read_draft(o.file, text), o));
      begin = end + 1;
    }
    line = end + 1;
  }
  if (requests.empty()) refuse(o.file, "", "has no request");
  return requests;
}

}  // namespace

std::vector<request> make_requests(const options& o) {
  if (o.protocol == protocol::websocket) return {{make_frame(o), {}, false}};
  if (o.protocol == protocol::bytes) return {{make_payload(o.message_bytes), {}, false}};
  if (!o.file.empty()) return read_file(o);
  return {finish({o.method, o.target, o.fields, make_payload(o.body_bytes)}, o)};
}

std::string make_payload(std::size_t bytes) {
  std::string payload(bytes, 'x');
  for (std::size_t i = 0; i < bytes; ++i) payload[i] = static_cast<char>('a' + i % 26);
  return payload;
}

std::string make_frame(const options& o) {
  std::string payload = make_payload(o.message_bytes);
  char head[nen::ws::masked_frame_head_bytes_max];
  const nen::ws::masking_key key = {0x37, 0xfa, 0x21, 0x3d};
  const auto opcode = o.is_text ? nen::ws::opcode::text : nen::ws::opcode::binary;
  char* const end = nen::ws::write_masked_frame_head(head, {.opcode = opcode}, payload.size(), key);
  for (std::size_t i = 0; i < payload.size(); ++i)
    payload[i] = static_cast<char>(payload[i] ^ key[i % key.size()]);
  return std::string(head, end) + payload;
}

std::string make_handshake(const options& o) {
  std::string out = "GET " + o.target + " HTTP/1.1\r\nHost: " + o.authority +
                    "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " +
                    std::string(websocket_key) + "\r\nSec-WebSocket-Version: 13\r\n";
  for (const auto& line : o.fields) out += line + "\r\n";
  return out + "\r\n";
}

}  // namespace load
