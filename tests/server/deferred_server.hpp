// The server that the tests of deferred answers talk to. Its handles lie in one place, where other
// requests complete them: only handlers touch it, on the one shard's thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "support/test_server.hpp"

namespace nen::test::deferring {

inline std::array<deferred, 100> handles;
inline std::atomic<int> parks;  ///< how often a handle was put there by park()
inline std::array<char, 32 * MiB> large{};

inline const char* to_text(completion_outcome outcome) {
  switch (outcome) {
    case completion_outcome::answered:
      return "answered";
    case completion_outcome::gone:
      return "gone";
    case completion_outcome::no_room:
      return "no_room";
  }
  return "?";
}
inline const char* to_text(bool yes) { return yes ? "true" : "false"; }

/// All that a request has, so that a test sees whether it was kept.
inline reply describe(const request& req, response& res) {
  res.begin("text/plain").write(to_string(req.method())).write(" ").write(req.target());
  res.write(" ").write(req.field("x-tag").value_or("-"));
  return res.write(" ").write(req.body()).finish();
}

inline reply hello(response& res) { return res.text("hello"); }
inline reply send_large(response& res) {
  return res.send_static("a/b", {large.data(), large.size()});
}

/// Waits for somebody to answer.
inline reply park(std::uint32_t i, response& res) {
  handles[i] = res.defer();
  ++parks;
  return res.later();
}
inline reply pending(std::uint32_t i, response& res) {
  return res.text(to_text(handles[i].pending()));
}
inline reply complete(std::uint32_t i, response& res) {
  return res.text(to_text(handles[i].complete(&describe)));
}
inline reply complete_all(std::uint32_t count, response& res) {
  std::uint32_t answered = 0;
  for (std::uint32_t i = 0; i < count; ++i)
    if (handles[i].complete(&describe) == completion_outcome::answered) ++answered;
  return res.json(answered);
}
inline reply wake(std::uint32_t i, response& res) { return res.text(to_text(handles[i].wake())); }
inline reply set_after(std::uint32_t i, std::uint32_t ms, response& res) {
  return res.text(to_text(handles[i].after(
      ms, [](const request&, response& late) { return late.text("from outside"); })));
}

/// Answers by itself, `ms` milliseconds later.
inline reply late(std::uint32_t ms, response& res) {
  res.defer().after(ms, describe);
  return res.later();
}
inline reply late_and_kept(std::uint32_t ms, response& res) {
  handles[0] = res.defer();
  handles[0].after(ms, describe);
  return res.later();
}

inline reply again(const request&, response& res) {
  res.defer().after(40, describe);
  return res.later();
}
/// Is asked after 40 ms and puts it off by 40 ms more.
inline reply twice(response& res) {
  res.defer().after(40, again);
  return res.later();
}
inline reply forever(const request&, response& res) {
  res.defer().after(20, forever);
  return res.later();
}
inline reply never(response& res) {
  res.defer().after(20, forever);
  return res.later();
}
/// Puts the answer off at first, then parks it.
inline reply parks_later(response& res) {
  res.defer().after(20, [](const request&, response& r) {
    handles[0] = r.defer();
    return r.later();
  });
  return res.later();
}

/// Takes a handle and answers at once.
inline reply forget(std::uint32_t i, response& res) {
  handles[i] = res.defer();
  return res.text("at once");
}

inline reply throws_later(response& res) {
  res.defer().after(10, [](const request&, response& late) -> reply {
    (void)late.begin("a/b").write("half of it");
    throw std::runtime_error("late trouble");
  });
  return res.later();
}

/// Head slots and body slots that are taken.
reply in_use(response& res);

using routes =
    router<get<"/", hello>, get<"/large", send_large>, any<"/park/:i", park>,
           get<"/pending/:i", pending>, get<"/complete/:i", complete>,
           get<"/complete-all/:count", complete_all>, get<"/wake/:i", wake>,
           get<"/after/:i/:ms", set_after>, any<"/late/:ms", late>,
           get<"/late-and-kept/:ms", late_and_kept>, get<"/twice", twice>, get<"/never", never>,
           get<"/parks-later", parks_later>, get<"/forget/:i", forget>,
           get<"/throws", throws_later>, get<"/in-use", in_use>>;

inline constexpr config small = {.connections = 16,
                                 .receive_buffers = 4,
                                 .receive_buffer_bytes = 512,
                                 .send_slots = 9,
                                 .send_slot_bytes = 1024,
                                 .response_bytes_max = 2048,
                                 .head_slots = 4,
                                 .head_bytes_max = 1024,
                                 .fields_max = 16,
                                 .target_bytes_max = 256,
                                 .streams = 2,
                                 .body_slots = 3,
                                 .body_bytes_max = 2048};
inline nen::server<routes, small> server;

inline reply in_use(response& res) {
  auto& shard = const_cast<decltype(server)::shard&>(server.shard_at(0));
  return res.begin("text/plain")
      .write(std::to_string(shard.session().head_slots().in_use()))
      .write(" ")
      .write(std::to_string(shard.session().body_slots().in_use()))
      .finish();
}

using run_of = running<nen::server<routes, small>>;

inline std::string get_of(std::string_view target, std::string_view more = "") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(more) + "\r\n";
}
inline std::string post_of(std::string_view target, std::string_view body) {
  return "POST " + std::string(target) +
         " HTTP/1.1\r\nHost: h\r\nX-Tag: tag\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

/// Timeouts that no test sees unless it sets them.
inline constexpr milliseconds far{60'000};
inline constexpr listen_options patient = {.header_timeout = far,
                                           .body_timeout = far,
                                           .handler_timeout = far,
                                           .write_timeout = far,
                                           .idle_timeout = far,
                                           .linger_timeout = far,
                                           .drain_timeout = milliseconds(300)};

/// Sends a request and waits until it is put off.
inline client parked(const run_of& run, const std::string& request, std::uint64_t count) {
  client c = run.connect();
  c.send(request);
  if (!run.counts(&shard_counters::requests_deferred, count)) FAIL("it was not put off");
  return c;
}

/// Clients that don't read: what they hold leaves no room for one answer inside another.
inline std::vector<client> stalled_readers(const run_of& run, int count = 4) {
  std::vector<client> readers;
  for (int i = 0; i < count; ++i) {
    readers.push_back(run.connect(4096));
    readers.back().send(get_of("/large"));
    if (readers.back().is_quiet_for(10'000)) FAIL("no answer begins");
  }
  return readers;
}

}  // namespace nen::test::deferring
