// The server of the scenarios, and where they are played: what a client may do, whatever the ring.
#pragma once

#include <nen/config.hpp>
#include <nen/http/deferred.hpp>
#include <nen/http/response.hpp>
#include <nen/http/router.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nen::test::scenarios {

/// How a client's stream stands; left: he closed it before it ended.
enum class stream_is { open, ended, reset, left };

/// Where a scenario is played. After each act, everything happens that comes of it at once.
class world {
 public:
  virtual ~world() = default;
  virtual int connect() = 0;
  virtual void send(int client, std::string_view bytes) = 0;
  /// Both at once: the bytes and the end arrive together.
  virtual void send_and_finish(int client, std::string_view bytes) = 0;
  virtual void finish(int client) = 0;
  virtual void close(int client) = 0;
  virtual void reset(int client) = 0;
  virtual void stop_reading(int client) = 0;
  virtual void start_reading(int client) = 0;
  /// Lets at least this time pass.
  virtual void pass(std::uint32_t milliseconds) = 0;
  /// The server is to stop.
  virtual void stop() = 0;

  virtual const std::string& received(int client) = 0;
  virtual stream_is state_of(int client) = 0;

  /// What is asserted of either ring, apart from their being equal.
  void expect(bool holds, int line = __builtin_LINE()) {
    if (!holds) broken_.push_back(line);
  }
  /// The lines of this file that did not hold.
  const std::vector<int>& broken() const { return broken_; }

 private:
  std::vector<int> broken_;
};

// ---- the server ----

inline char large[16 * MiB];

inline reply hello(response& res) { return res.text("hello"); }
inline reply echo(const request& req, response& res) { return res.bytes(req.body()); }
inline reply send_large(response& res) { return res.send_static("a/b", {large, sizeof large}); }
inline reply later(std::uint32_t ms, response& res) {
  res.defer().after(ms, [](const request&, response& r) { return r.text("at last"); });
  return res.later();
}
inline reply never(response& res) {
  (void)res.defer();
  return res.later();
}
inline reply chunks(std::uint32_t size, std::uint32_t count, response& res) {
  return res.stream("a/b", [size, left = count](body_stream& out) mutable {
    if (out.ended()) return;
    if (left == 0) return void(out.finish());
    if (out.write({large, size})) --left;
  });
}
inline reply endless(response& res) {
  return res.stream("a/b", [](body_stream& out) {
    if (!out.ended()) (void)out.write({large, 1000});
  });
}

using routes = router<get<"/", hello>, post<"/echo", echo>, get<"/large", send_large>,
                      get<"/later/:ms", later>, get<"/never", never>,
                      get<"/chunks/:size/:count", chunks>, get<"/endless", endless>>;

inline constexpr config usual = {.connections = 24,
                                 .receive_buffers = 16,
                                 .receive_buffer_bytes = 512,
                                 .send_slots = 24,
                                 .send_slot_bytes = 1024,
                                 .response_bytes_max = 2048,
                                 .head_slots = 4,
                                 .head_bytes_max = 1024,
                                 .fields_max = 8,
                                 .target_bytes_max = 256,
                                 .streams = 4,
                                 .body_slots = 2,
                                 .body_bytes_max = 2048};

/// Two receive buffers, and two connections.
inline constexpr config scarce = [] {
  config c = usual;
  c.connections = 3;
  c.receive_buffers = 2;
  return c;
}();

// ---- what clients say ----

inline std::string get_of(std::string_view target, std::string_view more = "") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(more) + "\r\n";
}
inline std::string post_of(std::string_view body) {
  return "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

/// How many answers begin in what a client received.
inline int answers_in(const std::string& received) {
  int count = 0;
  for (auto at = received.find("HTTP/1.1 "); at != received.npos;
       at = received.find("HTTP/1.1 ", at + 1))
    ++count;
  return count;
}

}  // namespace nen::test::scenarios
