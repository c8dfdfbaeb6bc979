// Handlers of every kind, none of which asks for memory but those that say so.
#pragma once

#include <nen/core/constant_time.hpp>
#include <nen/http/authentication.hpp>
#include <nen/http/cors.hpp>
#include <nen/http/limits.hpp>
#include <nen/http/security_headers.hpp>
#include <nen/nen.hpp>
#include <nen/server/dashboard.hpp>
#include <nen/server/health.hpp>
#include <nen/server/metrics_route.hpp>
#if defined(NEN_TEST_DEFLATE)
#include <nen/server/websocket_deflate.hpp>
#endif

#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <exception>

namespace nen::test::no_heap {

inline char large[32 * MiB];  ///< zero, so that it costs no file
inline constexpr std::array<char, 4096> letters = [] {
  std::array<char, 4096> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<char>('a' + i % 26);
  return all;
}();
constexpr std::string_view some(std::size_t size) { return {letters.data(), size}; }

/// An exception that owns nothing: all that `throw` asks for is its own memory.
struct trouble : std::exception {
  const char* what() const noexcept override { return "trouble"; }
};

inline std::atomic<std::uint32_t> shards_seen;
inline std::uint32_t this_shard() {
  static thread_local const std::uint32_t mine = shards_seen++;
  return mine;
}
/// Handles belong to the shard that gave them.
inline thread_local std::array<deferred, 8> parked;

// ---- answered at once ----

inline reply hello(response& res) { return res.text("hello"); }
inline reply shard(response& res) { return res.json(this_shard()); }
inline reply object(std::int32_t n, response& res) {
  return res.json({{"number", n}, {"text", "\"quoted\"\n"}, {"half", 0.5}, {"yes", true}});
}
inline reply user(std::uint32_t id, std::string_view name, response& res) {
  return res.begin("text/plain").write(name).write(id == 7 ? " seven" : " other").finish();
}
inline reply rest(std::string_view path, response& res) { return res.text(path); }
inline reply echo(const request& req, response& res) { return res.bytes(req.body()); }
inline reply view(response& res) { return res.send_static("text/plain", some(4096)); }
inline reply huge(response& res) { return res.send_static("a/b", {large, sizeof large}); }
inline reply copy(response& res) { return res.bytes(some(2048)); }
inline reply too_long(response& res) { return res.bytes(some(2049)); }
inline reply bad_field(response& res) { return res.field("X-A", "b\r\nX-C: d").text(""); }
inline reply moved(response& res) { return res.redirect("/elsewhere"); }
inline reply marked(next next, response& res) {
  res.field("X-Marked", "yes");
  return next();
}
inline reply with_query(const request& req, response& res) {
  const auto page = query_of(req).get<std::uint32_t>("page").value_or(0);
  const auto word = query_of(req).get<query_value<16>>("word");
  return res.json({{"page", page}, {"word", word ? word->view() : "none"}});
}
inline reply with_form(const request& req, response& res) {
  const auto form = form_of(req);
  return form ? res.json(form->get<std::int32_t>("n").value_or(0)) : res.status(415);
}
inline reply with_cookies(const request& req, response& res) {
  set_cookie(res, {.name = "seen", .value = "1", .path = "/"});
  return res.text(cookies_of(req).find("seen").value_or("no"));
}
inline reply tagged(const request& req, response& res) {
  const revision_tag tag(17);
  if (const auto early = answer_condition(req, res, {.etag = tag.tag()})) return *early;
  return res.text("version 17");
}

// ---- answered part by part, or taken part by part ----

inline reply chunks(std::uint32_t size, std::uint32_t count, response& res) {
  return res.stream("a/b", [size, left = count](body_stream& out) mutable {
    for (; left != 0; --left)
      if (!out.write(some(size))) return;
    out.finish({{"X-Sum", "0"}});
  });
}
inline reply drip(std::uint32_t ms, std::uint32_t count, response& res) {
  return res.stream("a/b", [ms, left = count](body_stream& out) mutable {
    if (out.ended()) return;
    if (left == 0) return void(out.finish());
    if (out.write("x")) --left;
    out.sleep(ms);
  });
}
inline reply events(std::uint32_t count, response& res) {
  return event_stream(res, [n = 0u, count](body_stream& out) mutable {
    event_writer to(out);
    if (out.ended()) return;
    if (n == count) return void(out.finish());
    if (to.write({.data = "two\nlines", .id = "7", .name = "tick", .retry_ms = 50})) ++n;
    (void)to.write_keep_alive();
    out.sleep(5);
  });
}
/// Waits for /wake to be finished.
inline reply channel(std::uint32_t i, response& res) {
  parked[i % parked.size()] = res.defer();
  return res.stream("a/b", [begun = false](body_stream& out) mutable {
    if (out.ended()) return;
    if (begun) return void(out.finish());
    begun = out.write("begun");
    out.wait();
  });
}
inline reply wake(std::uint32_t i, response& res) {
  return res.text(parked[i % parked.size()].wake() ? "true" : "false");
}
inline reply endless(response& res) {
  return res.stream("a/b", [](body_stream& out) {
    if (!out.ended()) (void)out.write(some(1500));
  });
}
inline reply sum(response& res) {
  return res.receive([bytes = std::uint64_t{0}](const body_part& part, response& r) mutable {
    bytes += part.bytes.size();
    return part.is_last ? r.json(bytes) : r.more(bytes < 2000 ? 5 : 0);
  });
}
inline reply refuse(response& res) { return res.status(403); }

// ---- answered later ----

inline reply describe(const request& req, response& res) {
  return res.begin("text/plain").write(req.target()).write(" ").write(req.body()).finish();
}
inline reply late(std::uint32_t ms, response& res) {
  res.defer().after(ms, describe);
  return res.later();
}
inline reply park(std::uint32_t i, response& res) {
  parked[i % parked.size()] = res.defer();
  return res.later();
}
inline reply complete(std::uint32_t i, response& res) {
  const auto outcome = parked[i % parked.size()].complete(&describe);
  return res.text(outcome == completion_outcome::answered ? "answered" : "not answered");
}

// ---- which throw ----

inline reply throws(std::string_view what, response& res) {
  if (what == "int") throw 7;
  if (what == "half") (void)res.begin("a/b").write("half of it");
  if (what == "late") {
    res.defer().after(5, [](const request&, response&) -> reply { throw trouble(); });
    return res.later();
  }
  if (what == "stream") {
    return res.stream("a/b", [](body_stream& out) {
      if (out.ended()) return;
      (void)out.write("half of it");
      throw trouble();
    });
  }
  throw trouble();
}

// ---- WebSockets ----

inline ws::group<16, ws::group_config{.shards = 2, .letters = 8}> hall;

struct talk {
#if defined(NEN_TEST_DEFLATE)
  using compression = ws::deflate<ws::deflate_config{.window_bits = 12, .contexts = 1}>;
#endif
  static constexpr ws::options options = {.idle_ping_ms = 50, .buffered_bytes_max = 4096};

  void on_open(ws::peer& me) { (void)hall.join(me); }
  /// "all …" is for everybody, "throw" is thrown, the rest comes back.
  void on_message(ws::peer& me, ws::message m) {
    if (m.bytes == "throw") throw trouble();
    if (m.bytes.starts_with("all ")) {
      (void)hall.broadcast(m, ws::slow_peer::close);
    } else {
      (void)me.send(m);
    }
  }
};

// ---- coroutines ----

inline task<reply> co_now(response& res) { co_return res.text("now"); }
inline task<reply> co_late(context& ctx, std::uint32_t ms, const request& req, response& res) {
  res.field("X-Begun", "yes").begin("text/plain").write(req.target());
  co_await ctx.sleep(ms);
  co_return res.write(" ").write(req.body()).finish();
}
inline task<reply> co_chunks(context& ctx, std::uint32_t count, response& res) {
  auto out = co_await ctx.stream(res, "a/b");
  for (std::uint32_t i = 0; i < count; ++i) {
    co_await out.write(some(1500));
    if (i % 8 == 0) co_await ctx.sleep(1);
  }
  co_return out.end();
}
inline task<reply> co_sum(context& ctx, const request& req, response& res) {
  std::uint64_t bytes = 0;
  while (const auto part = co_await ctx.next_part(req)) {
    bytes += part->size();
    if (bytes < 2000) co_await ctx.sleep(1);
  }
  co_return res.json(bytes);
}
inline task<> co_background(context& ctx) { co_await ctx.sleep(3); }
inline task<> co_poll(context& ctx, poll_outcome& what) {
  what = co_await ctx.readable(STDERR_FILENO, 2);
}
/// A little of everything that coroutines can ask for.
inline task<reply> co_all(context& ctx, response& res) {
  std::uint32_t shards = 0;
  for (std::uint32_t i = 0; i < 2; ++i) {
    const auto there = co_await ctx.on_shard(i, this_shard);
    shards += there ? 1 : 0;
  }
  const bool is_spawned = ctx.spawn(co_background(ctx));
  poll_outcome what{};
  co_await when_all(co_poll(ctx, what), co_background(ctx));
  const auto nobody = *endpoint::parse("127.0.0.1", 1);
  const auto got = co_await ctx.connect(nobody, 1000);
  co_return res.json({{"shards", shards}, {"spawned", is_spawned}, {"connected", bool(got)}});
}
/// Asks the server that it belongs to, for a little, for much, and where nobody is.
inline task<reply> co_fetch(context& ctx, std::uint32_t port, response& res) {
  char url[64];
  std::snprintf(url, sizeof url, "http://127.0.0.1:%u/co/now", port);
  const auto little = co_await ctx.http().get(url);
  std::snprintf(url, sizeof url, "http://127.0.0.1:%u/co/chunks/9", port);
  auto much = co_await ctx.http().open({.url = url});
  std::uint64_t bytes = 0;
  while (const auto part = co_await much.read()) bytes += part.bytes.size();
  const auto nobody = co_await ctx.http().get("http://127.0.0.1:1/");
  co_return res.json({{"little", little.body()}, {"much", bytes}, {"nobody", nobody.ok()}});
}
struct co_talk {
  task<> on_run(ws::channel& me, context& ctx) {
    while (const auto m = co_await me.receive()) {
      co_await ctx.sleep(1);
      co_await me.send(*m);
    }
  }
};

/// Asks for memory on purpose, in this way and this often.
reply take_memory(std::string_view way, std::uint32_t times, response& res);

inline std::string_view dashboard_token() { return "open sesame"; }

// ---- for everybody, and for some ----

inline bool is_ann(std::string_view user, std::string_view password) {
  return equal_in_constant_time(user, "ann") && equal_in_constant_time(password, "secret");
}
inline reply who(const basic_credentials& its, const request_id& id, trace_context trace,
                 response& res) {
  return res.begin("text/plain")
      .write(its.user())
      .write(" ")
      .write(id)
      .write(" ")
      .write(trace.trace_id())
      .finish();
}
using in_public =
    group<"/public", security_headers<>, cors<cors_options{.origins = "http://app.example"}>,
          body_limit<100>, post<"/echo", echo>,
          group<"/ann", basic_auth<"ann's", is_ann>, get<"", who>>>;

using routes =
    router<use<marked>, get<"/", hello>, get<"/shard", shard>, get<"/json/:n", object>,
           get<"/users/:id/:name", user>, group<"/files", get<"/*path", rest>>, any<"/echo", echo>,
           get<"/view", view>, get<"/huge", huge>, get<"/copy", copy>, get<"/too-long", too_long>,
           get<"/bad-field", bad_field>, get<"/moved", moved>, get<"/query", with_query>,
           post<"/form", with_form>, get<"/cookies", with_cookies>, get<"/tagged", tagged>,
           get<"/chunks/:size/:count", chunks>, get<"/drip/:ms/:count", drip>,
           get<"/events/:count", events>, get<"/channel/:i", channel>, get<"/wake/:i", wake>,
           get<"/endless", endless>, streamed<post<"/sum", sum>>, streamed<put<"/refuse", refuse>>,
           any<"/late/:ms", late>, any<"/park/:i", park>, get<"/complete/:i", complete>,
           get<"/throws/:what", throws>, get<"/take/:way/:times", take_memory>,
           websocket<"/talk", talk>, get<"/co/now", co_now>, any<"/co/late/:ms", co_late>,
           get<"/co/chunks/:count", co_chunks>, streamed<post<"/co/sum", co_sum>>,
           get<"/co/all", co_all>, get<"/co/fetch/:port", co_fetch>, websocket<"/co/talk", co_talk>,
           metrics_route<"/metrics">, dashboard<"/_nen", dashboard_token>, livez<"/livez">,
           readyz<"/readyz">, in_public>;

}  // namespace nen::test::no_heap
