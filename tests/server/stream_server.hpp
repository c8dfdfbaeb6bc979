// The server that the tests of streamed answers talk to, and a strict reader of chunked bodies.
// Channels are touched by handlers only, on the one shard's thread; what producers went through is
// counted for the tests.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "support/test_server.hpp"

namespace nen::test::streaming {

/// What became of the producers since reset().
struct tally {
  std::atomic<int> calls, ends, refused_writes, refused_finishes;
  void reset() { calls = ends = refused_writes = refused_finishes = 0; }
};
inline tally seen;

/// Somebody else's words for a stream that waits for them.
struct channel {
  deferred handle;
  std::string text;
  bool finish, throws;
};
inline std::array<channel, 8> channels;

inline std::array<char, 4096> alphabet = [] {
  std::array<char, 4096> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<char>('a' + i % 26);
  return all;
}();
inline std::string_view letters(std::size_t size) { return {alphabet.data(), size}; }

inline reply hello(response& res) { return res.text("hello"); }

/// Counts a call. @returns  true in the last one
inline bool is_over(const body_stream& out) {
  ++(out.ended() ? seen.ends : seen.calls);
  return out.ended();
}
/// Finishes when the server stops. @returns  true when it did
inline bool is_drained(body_stream& out) {
  if (out.ended() || !out.draining() || !out.finish()) return false;
  ++seen.ends;
  return true;
}
inline bool write(body_stream& out, std::string_view part) {
  const bool written = out.write(part);
  if (!written) ++seen.refused_writes;
  return written;
}

/// `count` chunks, one a call.
inline reply chunks(std::uint32_t size, std::uint32_t count, response& res) {
  return res.stream("a/b", [size, left = count](body_stream& out) mutable {
    if (is_over(out)) return;
    if (left == 0) return void(out.finish());
    if (write(out, letters(size))) --left;
  });
}
/// The same, as many a call as fit.
inline reply fill(std::uint32_t size, std::uint32_t count, response& res) {
  return res.stream("a/b", [size, left = count](body_stream& out) mutable {
    if (is_over(out)) return;
    for (; left != 0; --left)
      if (!write(out, letters(size))) return;
    if (!out.finish()) ++seen.refused_finishes;
  });
}
inline reply endless(std::uint32_t size, response& res) {
  return res.stream("a/b", [size](body_stream& out) {
    if (!is_over(out)) (void)write(out, letters(size));
  });
}
inline reply trailers(response& res) {
  return res.stream("a/b", [](body_stream& out) {
    if (is_over(out)) return;
    (void)write(out, "abc");
    out.finish({{"X-Sum", "294"}, {"X-More", ""}});
  });
}
/// Leaves 11 bytes of its message, too few for these trailers.
inline reply full(response& res) {
  return res.stream("a/b", [begun = false](body_stream& out) mutable {
    if (is_over(out)) return;
    if (!begun) {
      begun = true;
      (void)write(out, letters(2016));
      (void)write(out, letters(9));
    }
    if (!out.finish({{"X-Long", "0123456789"}})) ++seen.refused_finishes;
  });
}

inline void produce_from(channel& c, body_stream& out) {
  if (is_drained(out) || is_over(out)) return;
  if (c.throws) throw std::runtime_error("producer's trouble");
  if (!c.text.empty() && write(out, c.text)) c.text.clear();
  if (c.finish) return void(out.finish());
  if (c.text.empty()) out.wait();
}
/// Streams what others say.
inline reply listen(std::uint32_t i, response& res) {
  channel& c = channels[i];
  c = {res.defer(), "", false, false};
  return res.stream("a/b", [&c](body_stream& out) { produce_from(c, out); });
}
inline reply say(std::uint32_t i, std::string_view text, response& res) {
  channels[i].text = text;
  return res.text(channels[i].handle.wake() ? "true" : "false");
}
inline reply say_much(std::uint32_t i, std::uint32_t size, response& res) {
  return say(i, letters(size), res);
}
inline reply finish(std::uint32_t i, response& res) {
  channels[i].finish = true;
  return res.text(channels[i].handle.wake() ? "true" : "false");
}
inline reply fail(std::uint32_t i, response& res) {
  channels[i].throws = true;
  return res.text(channels[i].handle.wake() ? "true" : "false");
}
inline reply pending(std::uint32_t i, response& res) {
  return res.text(channels[i].handle.pending() ? "true" : "false");
}

inline reply events(response& res) {
  return event_stream(res, [](body_stream& out) { is_over(out) ? void() : out.wait(); });
}
/// `count` times "x", with `ms` milliseconds before each.
inline reply drip(std::uint32_t ms, std::uint32_t count, response& res) {
  return res.stream("a/b", [ms, left = count, slept = false](body_stream& out) mutable {
    if (is_over(out)) return;
    if (slept) {
      if (!write(out, "x")) return;
      --left;
    }
    slept = true;
    left == 0 ? void(out.finish()) : out.sleep(ms);
  });
}
/// A stream that begins when its time has come.
inline reply late(std::uint32_t ms, response& res) {
  res.defer().after(ms, [](const request& req, response& r) {
    return chunks(static_cast<std::uint32_t>(req.body().size()), 3, r);
  });
  return res.later();
}
/// Busy until the server stops; then it waits for ever.
inline std::atomic<bool> rests_now;
inline reply rests_when_told(response& res) {
  return res.stream("a/b", [](body_stream& out) {
    if ((rests_now && is_drained(out)) || is_over(out)) return;
    (void)write(out, letters(1000));
  });
}
inline reply throws_in_its_end(response& res) {
  return res.stream("a/b", [](body_stream& out) {
    if (is_over(out)) throw std::runtime_error("trouble in the last call");
    out.wait();
  });
}

/// Send slots and head slots that are taken.
reply in_use(response& res);

using routes =
    router<get<"/", hello>, get<"/chunks/:size/:count", chunks>, get<"/fill/:size/:count", fill>,
           get<"/endless/:size", endless>, get<"/trailers", trailers>, get<"/full", full>,
           get<"/listen/:i", listen>, get<"/say/:i/:text", say>,
           get<"/say-much/:i/:size", say_much>, get<"/finish/:i", finish>, get<"/fail/:i", fail>,
           get<"/pending/:i", pending>, get<"/drip/:ms/:count", drip>, get<"/events", events>,
           post<"/late/:ms", late>, get<"/rests-when-told", rests_when_told>,
           get<"/throws-in-its-end", throws_in_its_end>, get<"/in-use", in_use>>;

inline constexpr config small = {.connections = 16,
                                 .receive_buffers = 4,
                                 .receive_buffer_bytes = 512,
                                 .send_slots = 24,
                                 .send_slot_bytes = 1024,
                                 .response_bytes_max = 2048,
                                 .head_slots = 4,
                                 .head_bytes_max = 1024,
                                 .fields_max = 16,
                                 .target_bytes_max = 256,
                                 .streams = 4,
                                 .body_slots = 3,
                                 .body_bytes_max = 2048};
inline nen::server<routes, small> server;

inline std::string pools() {
  auto& shard = const_cast<decltype(server)::shard&>(server.shard_at(0));
  return std::to_string(shard.send_slots().in_use()) + " " +
         std::to_string(shard.session().head_slots().in_use());
}
inline reply in_use(response& res) { return res.text(pools()); }

using run_of = running<nen::server<routes, small>>;

inline std::string get_of(std::string_view target, std::string_view more = "") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(more) + "\r\n";
}

/// Timeouts that no test sees unless it sets them.
inline constexpr milliseconds far{60'000};
inline constexpr listen_options patient = {.header_timeout = far,
                                           .body_timeout = far,
                                           .handler_timeout = far,
                                           .write_timeout = far,
                                           .idle_timeout = far,
                                           .linger_timeout = far,
                                           .drain_timeout = milliseconds(3000)};

inline std::string read_line(client& c) {
  std::string line;
  while (!line.ends_with("\r\n")) line += c.read_bytes(1);
  return line.substr(0, line.size() - 2);
}

inline answer read_head(client& c) {
  std::string head;
  while (!head.ends_with("\r\n\r\n")) head += c.read_bytes(1);
  return parse_answer_head(std::string_view(head).substr(0, head.size() - 2));
}

/// Reads one chunk; empty: the last one, without the trailers behind it.
inline std::string read_chunk(client& c) {
  const std::string line = read_line(c);
  if (line.empty() || line.size() > 8 || line.find_first_not_of("0123456789abcdef") != line.npos ||
      (line[0] == '0' && line != "0"))
    throw std::runtime_error("bad chunk size: " + line);
  const auto size = std::stoul(line, nullptr, 16);
  const std::string bytes = c.read_bytes(size);
  if (size != 0 && c.read_bytes(2) != "\r\n") throw std::runtime_error("no CRLF behind a chunk");
  return bytes;
}

/// A streamed answer, to its end.
struct streamed {
  answer head;
  std::vector<std::string> chunks;
  std::vector<std::string> trailers;
};
inline streamed read_streamed(client& c) {
  streamed s{read_head(c), {}, {}};
  if (s.head.field("Transfer-Encoding") != "chunked" || s.head.count("Content-Length") != 0)
    throw std::runtime_error("not a chunked answer");
  for (std::string part; !(part = read_chunk(c)).empty();) s.chunks.push_back(part);
  for (std::string line; !(line = read_line(c)).empty();) s.trailers.push_back(line);
  return s;
}

/// Asks for a stream and reads its head.
inline client listening(const run_of& run, const std::string& request) {
  client c = run.connect();
  c.send(request);
  if (read_head(c).status != 200) throw std::runtime_error("it is not streamed");
  return c;
}

/// Waits until no producer is called any more. @returns  how often they were called
inline int calls_when_quiet() {
  int before = -1;
  while (before != seen.calls) {
    before = seen.calls;
    ::usleep(200'000);
  }
  return before;
}

}  // namespace nen::test::streaming
