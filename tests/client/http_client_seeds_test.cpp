// Fetches in hundreds of small worlds, each made from a seed: servers of every mood, and a network
// on a bad day. Each fetch ends by its deadline, and nothing is left. A failure prints its seed;
// with NEN_SEED set only that one runs.
#include <nen/testing/invariants.hpp>

#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/asking.hpp"
#include "sim/seed.hpp"

namespace {

using namespace nen::test::asking;
using namespace std::chrono_literals;
using nen::context;
using nen::method;
using nen::task;
using nen::http::fetch_error;
using nen::testing::random;
using nen::testing::simulated_client;

constexpr std::uint32_t deadline_ms = 2000;

/// What all the handlers of a world do and found.
struct story {
  explicit story(std::uint64_t seed) : chance(seed) {}
  random chance;
  std::uint32_t ended = 0;
  std::uint32_t answered = 0;
  bool in_time = true;
  bool right = true;
};

struct some_parts {
  random chance;
  context* ctx;
  std::uint32_t left;
  std::string part = {};

  task<std::optional<std::string_view>> next() {
    if (chance.chance(300)) co_await ctx->sleep(static_cast<std::uint32_t>(chance.below(50)));
    if (left == 0) co_return std::string_view{};
    --left;
    if (chance.chance(20)) co_return std::nullopt;
    part.assign(chance.between(1, 5000), 's');
    co_return std::string_view(part);
  }
};

/// A body that is right consists of one letter, as often as the field says.
bool is_right(const nen::http::answer& got, std::size_t bytes) {
  const auto said = got.field("X-Bytes");
  return !said || std::to_string(bytes) == *said;
}

task<std::string> ask_somebody(context& ctx, story& s) {
  const nen::tick began = ctx.now_ms();
  const std::string where = "http://127.0.0.1:" + std::to_string(s.chance.between(90, 95)) + "/" +
                            std::string(s.chance.below(20), 'p');
  const std::string body(s.chance.chance(500) ? 0 : s.chance.below(100'000), 'b');
  some_parts parts{random(s.chance.next()), &ctx, static_cast<std::uint32_t>(s.chance.below(8))};
  constexpr method methods[] = {method::get, method::post, method::put, method::head};
  nen::http::request asked{.method = methods[s.chance.below(4)], .url = where, .body = body};
  if (s.chance.chance(200)) asked.source = nen::http::body_source(parts);
  asked.options = {.deadline = std::chrono::milliseconds(deadline_ms),
                   .connect_timeout = std::chrono::milliseconds(s.chance.between(1, 3000)),
                   .head_timeout = std::chrono::milliseconds(s.chance.between(0, 3000)),
                   .bytes_timeout = std::chrono::milliseconds(s.chance.between(0, 3000)),
                   .redirects_max = static_cast<std::uint32_t>(s.chance.below(4)),
                   .expect_continue = std::chrono::milliseconds(s.chance.below(2) * 100)};
  std::string told;
  if (s.chance.chance(500)) {
    auto got = co_await ctx.http().fetch(asked);
    told = describe(got.error());
    if (got.ok() && asked.method != method::head)
      s.right = s.right && is_right(got, got.body().size());
    s.answered += got.ok();
  } else {
    auto got = co_await ctx.http().open(asked);
    std::size_t bytes = 0;
    while (const auto part = co_await got.read()) {
      bytes += part.bytes.size();
      if (s.chance.chance(100)) co_return "left";
      if (s.chance.chance(100)) co_await ctx.sleep(static_cast<std::uint32_t>(s.chance.below(10)));
    }
    told = describe(got.error());
    if (got.ok() && asked.method != method::head) s.right = s.right && is_right(got, bytes);
    s.answered += got.ok();
  }
  ++s.ended;
  constexpr std::uint32_t late_ms = 60;
  s.in_time = s.in_time && ctx.now_ms() - began <= deadline_ms + late_ms;
  co_return told;
}

/// A server that was connected to, in one of many moods.
class moody {
 public:
  moody(simulated_client&& connected, random chance)
      : connected_(std::move(connected)), chance_(chance) {
    if (chance_.chance(100)) connected_.stop_reading();
  }

  void act() {
    if (chance_.chance(10)) return connected_.reset();
    if (chance_.chance(10)) return connected_.finish();
    if (chance_.chance(100)) connected_.start_reading();
    if (to_send_.empty() && connected_.received().find("\r\n\r\n") != std::string::npos) {
      const bool is_head = connected_.take().find("HEAD /") != std::string::npos;
      to_send_ = answer(is_head);
    }
    if (to_send_.empty() || chance_.chance(300)) return;
    const auto bytes = chance_.chance(500) ? to_send_.size() : chance_.between(1, to_send_.size());
    connected_.send(std::string_view(to_send_).substr(0, bytes));
    to_send_.erase(0, bytes);
    if (to_send_.empty() && ends_) connected_.finish();
  }

 private:
  std::string answer(bool is_head) {
    std::string made;
    while (chance_.chance(100)) made += "HTTP/1.1 100 Continue\r\n\r\n";
    if (chance_.chance(50)) return made + "nonsense";
    const std::string body(chance_.chance(900) ? chance_.below(3000) : chance_.below(90'000), 'a');
    const std::string line = "X-Bytes: " + std::to_string(body.size()) + "\r\n";
    if (chance_.chance(150)) {
      made += "HTTP/1.1 30" + std::to_string(chance_.below(4)) +
              " Go\r\nLocation: http://127.0.0.1:" + std::to_string(chance_.between(90, 95)) +
              "/x\r\n";
    } else {
      made += "HTTP/1.1 200 OK\r\n";
    }
    if (chance_.chance(100)) made += "Connection: close\r\n";
    if (chance_.chance(400)) {
      made += line + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
      if (!is_head) made += body;
    } else if (chance_.chance(700)) {
      made += line + "Transfer-Encoding: chunked\r\n\r\n";
      if (is_head) return made;
      for (std::size_t at = 0; at < body.size();) {
        const auto part = std::min(body.size() - at, chance_.between(1, 15));
        made += "0123456789abcdef"[part];
        made += "\r\n" + body.substr(at, part) + "\r\n";
        at += part;
      }
      made += "0\r\n\r\n";
    } else {
      ends_ = true;
      made += "\r\n" + body;  // it may be cut off, so it doesn't say how long it is
    }
    return made;
  }

  simulated_client connected_;
  random chance_;
  std::string to_send_;
  bool ends_ = false;
};

constexpr nen::config tight = {.connections = 16,
                               .receive_buffers = 8,
                               .receive_buffer_bytes = 512,
                               .send_slots = 12,
                               .send_slot_bytes = 1024,
                               .response_bytes_max = 2048,
                               .tasks = 6,
                               .outgoing = 4,
                               .endpoints = 3,
                               .fetches = 3,
                               .task_frames = {{{512, 16}, {1024, 16}, {2048, 6}, {8192, 2}}}};

/// @returns  how many fetches were answered
template <nen::config Config>
std::uint32_t live(std::uint64_t seed) {
  random chance(seed);
  auto faults = chance.chance(300)   ? nen::testing::faults{}
                : chance.chance(500) ? nen::testing::faults::bad_day()
                                     : nen::test::sim::make_faults(chance);
  if (chance.chance(300)) faults.refused_connect = static_cast<std::uint16_t>(chance.below(300));
  story s(chance.next());
  world<Config> w([&](context& ctx) { return ask_somebody(ctx, s); }, chance.next(), faults);
  for (std::uint16_t at = 90; at < 94; ++at) w.listen(at);
  w.listen(94, nen::testing::connect_answer::silent);
  if (chance.chance(300)) w.s.network().window = chance.between(100, 5000);
  std::vector<simulated_client> clients;
  std::vector<moody> servers;
  const auto rounds = chance.between(5, 60);
  for (std::uint64_t i = 0; i < rounds; ++i) {
    if (chance.chance(400)) {
      clients.push_back(w.s.connect());
      clients.back().send(std::string(ask) + (chance.chance(200) ? std::string(ask) : ""));
    }
    if (!clients.empty() && chance.chance(50)) clients[chance.below(clients.size())].close();
    w.s.pass(chance.below(100));
    while (w.has_upstream()) servers.emplace_back(w.upstream(), random(chance.next()));
    for (moody& server : servers) server.act();
  }
  w.s.pass(deadline_ms * 10);  // some of them wait for others to end first
  CHECK(s.in_time);
  CHECK(s.right);
  CHECK(w.is_clean());
  w.s.pass(100'000);  // what is kept, or is still on its way to somebody, is closed in time
  while (w.has_upstream()) w.upstream();
  CHECK(w.kept() == 0);
  clients.clear();
  servers.clear();
  w.client.close();
  w.s.pass(1000);
  nen::testing::check_nothing_held(w.s.inside());
  return s.answered;
}

}  // namespace

TEST_CASE("in whatever world, a fetch ends in time and leaves nothing", "[http_client][seeds]") {
  const auto one = nen::test::sim::setting("NEN_SEED", 0);
  const auto first = one != 0 ? one : 1;
  const auto count = one != 0 ? 1 : nen::test::sim::setting("NEN_SEEDS", 300);
  std::uint32_t answered = 0;
  for (auto seed = first; seed < first + count; ++seed) {
    INFO("NEN_SEED=" << seed);
    answered += seed % 2 == 0 ? live<tight>(seed) : live<nen::config{}>(seed);
  }
  CHECK((one != 0 || answered > count));  // or the worlds are too bad to show anything
}

TEST_CASE("whichever operation fails, the fetch ends and nothing is left", "[http_client]") {
  constexpr int errnos[] = {ECONNRESET, EPIPE, ENOMEM, ECANCELED, EINTR, ENOBUFS, ETIMEDOUT};
  const std::string large(50'000, 'b');
  for (const int errno_value : errnos) {
    for (std::uint64_t at = 1; at < 60; ++at) {
      INFO("operation " << at << " fails with " << errno_value);
      bool has_ended = false;
      world<> w(
          [&](context& ctx) -> task<std::string> {
            const nen::http::options how = {.deadline = 1s};
            static_cast<void>(co_await ctx.http().get(url, how));
            static_cast<void>(co_await ctx.http().put(url, "", large, how));
            {
              auto got = co_await ctx.http().open({.url = url, .options = how});
              while (co_await got.read()) continue;
            }
            has_ended = true;
            co_return "";
          },
          1, {}, {}, {at, errno_value});
      w.client.send(ask);
      std::vector<simulated_client> ups;
      for (int i = 0; i < 40; ++i) {
        w.s.pass(100);
        while (w.has_upstream()) ups.push_back(w.upstream());
        for (simulated_client& up : ups)
          if (!up.take().empty())
            up.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789");
      }
      const bool client_was_cut = w.client.saw_end() || w.client.was_reset();
      CHECK((has_ended || client_was_cut));
      CHECK(w.is_clean());
      w.s.pass(40'000);
      CHECK(w.kept() == 0);
    }
  }
}
