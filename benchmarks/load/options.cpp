// Reads the command line: --name value, and one URL.
#include "options.hpp"

#include <arpa/inet.h>
#include <unistd.h>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace load {
namespace {

constexpr std::string_view usage = R"(usage: load [--name value]... URL
  URL                         http://HOST:PORT/path: requests
                              ws://HOST:PORT/path: WebSocket messages to a server that echoes them
                              tcp://HOST:PORT: bytes to a server that echoes them
                              HOST is numeric, or localhost
  --unix PATH                 connects to this socket; the URL's host is for the Host field alone
  --connections N             (64), shared by all threads
  --threads N                 (1)
  --pipeline N                requests in one batch on a connection; the next follows when all of
                              them are answered. In open loop: requests in flight at most (1)
  --requests-per-connection N the last one says "Connection: close", a new connection follows
  --method M                  (GET)
  --field "Name: value"       any number of them
  --body-bytes N              a body of N bytes
  --file PATH                 requests that are cycled: request line, fields, empty line, body;
                              a line of ### between two of them
  --message-bytes N           of a WebSocket message, or of raw bytes (20)
  --text                      WebSocket messages are text
  --broadcast                 to a server that sends each WebSocket message to all connections: one
                              of them sends, all must receive, then the next one sends. Each
                              receipt is an answer, counted from the send. In closed loop, with one
                              thread and --pipeline 1; --requests are messages
  --rate N                    open loop: N requests a second in all; latencies count from the
                              moment at which a request was due
  --warmup S                  seconds that are not measured (1)
  --duration S                seconds that are measured (5)
  --requests N                measures N requests instead
  --timeout S                 an answer that takes longer is a failure (5)
  --expect-status N           (any 2xx)
  --expect-bytes N            length of each body (that of the first one)
  --server-pid N              CPU time of this process over what is measured; may be repeated
  --json                      instead of a table
Exit code 0: every answer was right. 1: some were not. 2: the command line is wrong.
)";

[[noreturn]] void refuse(std::string_view what, std::string_view why) {
  std::fprintf(stderr, "load: %.*s %.*s (--help lists the options)\n",
               static_cast<int>(what.size()), what.data(), static_cast<int>(why.size()),
               why.data());
  std::exit(2);
}

template <class Number>
Number number(std::string_view name, std::string_view text, Number least, Number most) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= least) ||
      !(value <= most)) {
    refuse(name, "needs a number within its bounds, not \"" + std::string(text) + '"');
  }
  return value;
}

void read_url(options& o, std::string_view url) {
  const auto scheme_end = url.find("://");
  const std::string_view scheme = url.substr(0, scheme_end);
  if (scheme_end == url.npos || (scheme != "http" && scheme != "ws" && scheme != "tcp"))
    refuse(url, "is no http://, ws:// or tcp:// URL");
  o.protocol = scheme == "http" ? protocol::http
               : scheme == "ws" ? protocol::websocket
                                : protocol::bytes;
  url.remove_prefix(scheme_end + 3);
  const auto path = std::min(url.find('/'), url.size());
  o.authority = url.substr(0, path);
  if (path != url.size()) o.target = url.substr(path);
  std::string_view host = o.authority;
  const auto colon = host.rfind(':');
  if (colon != host.npos && host.find(']', colon) == host.npos) {
    o.port = number<std::uint16_t>("the port", host.substr(colon + 1), 1, 65535);
    host = host.substr(0, colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  o.host = host == "localhost" ? "127.0.0.1" : host;
}

void check(const options& o) {
  in6_addr address{};
  if (o.unix_path.empty() && ::inet_pton(AF_INET, o.host.c_str(), &address) != 1 &&
      ::inet_pton(AF_INET6, o.host.c_str(), &address) != 1)
    refuse(o.host, "is no numeric address");
  if (o.threads > o.connections) refuse("--threads", "cannot be more than the connections");
  if (o.protocol != protocol::http && o.requests_per_connection != 0)
    refuse("--requests-per-connection", "is for http:// URLs");
  if (o.protocol != protocol::http && (!o.file.empty() || o.body_bytes != 0))
    refuse("--file and --body-bytes", "are for http:// URLs; a message has --message-bytes");
  if (o.protocol == protocol::bytes && o.message_bytes == 0)
    refuse("--message-bytes", "cannot be 0 for raw bytes");
  if (!o.is_broadcast) return;
  if (o.protocol != protocol::websocket) refuse("--broadcast", "is for ws:// URLs");
  if (o.threads != 1) refuse("--broadcast", "is for one thread, which knows who has received");
  if (o.pipeline != 1) refuse("--broadcast", "sends one message at a time, so --pipeline is 1");
  if (o.rate > 0) refuse("--broadcast", "is a closed loop and has no --rate");
}

/// The options that have a value.
void set(options& o, std::string_view name, std::string_view value) {
  constexpr unsigned many = 1'000'000;
  constexpr std::uint64_t count_max = 1'000'000'000'000;
  constexpr std::size_t bytes_max = 1U << 30;
  const auto is = [name](std::string_view known) { return name == known; };
  if (is("--unix")) {
    o.unix_path = value;
  } else if (is("--connections")) {
    o.connections = number(name, value, 1U, many);
  } else if (is("--threads")) {
    o.threads = number(name, value, 1U, 256U);
  } else if (is("--pipeline")) {
    o.pipeline = number(name, value, 1U, 65536U);
  } else if (is("--requests-per-connection")) {
    o.requests_per_connection = number<std::uint64_t>(name, value, 1, count_max);
  } else if (is("--method")) {
    o.method = value;
  } else if (is("--field")) {
    if (value.find(':') == value.npos) refuse(name, "needs \"Name: value\"");
    o.fields.emplace_back(value);
  } else if (is("--body-bytes")) {
    o.body_bytes = number<std::size_t>(name, value, 0, bytes_max);
  } else if (is("--file")) {
    o.file = value;
  } else if (is("--message-bytes")) {
    o.message_bytes = number<std::size_t>(name, value, 0, bytes_max);
  } else if (is("--rate")) {
    o.rate = number(name, value, 0.001, 1e9);
  } else if (is("--warmup")) {
    o.warmup_seconds = number(name, value, 0.0, 1e6);
  } else if (is("--duration")) {
    o.seconds = number(name, value, 0.001, 1e6);
  } else if (is("--requests")) {
    o.requests = number<std::uint64_t>(name, value, 1, count_max);
  } else if (is("--timeout")) {
    o.timeout_seconds = number(name, value, 0.001, 1e6);
  } else if (is("--expect-status")) {
    o.status = number(name, value, 200, 599);
  } else if (is("--expect-bytes")) {
    o.length = number<std::int64_t>(name, value, 0, INT64_MAX);
  } else if (is("--server-pid")) {
    o.server_pids.push_back(number(name, value, 1, INT32_MAX));
  } else {
    refuse(name, "is not an option");
  }
}

}  // namespace

options read_options(int argc, char** argv) {
  options o;
  bool has_url = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--help") {
      std::fwrite(usage.data(), 1, usage.size(), stdout);
      std::exit(0);
    }
    if (name == "--json") {
      o.is_json = true;
    } else if (name == "--text") {
      o.is_text = true;
    } else if (name == "--broadcast") {
      o.is_broadcast = true;
    } else if (!name.starts_with("--")) {
      if (has_url) refuse(name, "is a second URL");
      has_url = true;
      read_url(o, name);
    } else {
      if (i + 1 == argc) refuse(name, "needs a value");
      set(o, name, argv[++i]);
    }
  }
  if (!has_url) refuse("a URL", "is missing");
  check(o);
  return o;
}

}  // namespace load
