// What the command line asks for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace load {

enum class protocol : std::uint8_t {
  http,
  websocket,  ///< messages that come back as they are
  bytes,      ///< raw bytes that come back as they are
};

struct options {
  load::protocol protocol = load::protocol::http;
  std::string host = "127.0.0.1";  ///< numeric
  std::uint16_t port = 80;
  std::string authority;  ///< the value of Host
  std::string target = "/";
  std::string unix_path;  ///< not empty: this socket instead of host and port

  unsigned connections = 64;
  unsigned threads = 1;
  unsigned pipeline = 1;
  std::uint64_t requests_per_connection = 0;  ///< 0: no limit

  std::string method = "GET";
  std::vector<std::string> fields;  ///< "Name: value"
  std::size_t body_bytes = 0;
  std::string file;  ///< requests that are cycled, instead of method, fields and body
  std::size_t message_bytes = 20;
  bool is_text = false;
  bool is_broadcast = false;  ///< each message comes back on every connection

  double rate = 0;  ///< requests a second by all connections together; 0: closed loop
  double warmup_seconds = 1;
  double seconds = 5;
  std::uint64_t requests = 0;  ///< not 0: this many instead of `seconds`
  double timeout_seconds = 5;

  int status = 0;            ///< 0: any 2xx
  std::int64_t length = -1;  ///< -1: what the first answer has
  std::vector<int> server_pids;
  bool is_json = false;
};

/// Ends the program with a sentence and exit code 2 when something is wrong.
options read_options(int argc, char** argv);

}  // namespace load
