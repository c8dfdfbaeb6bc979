// What a coroutine has written when it begins to wait is set aside, and is there when it goes on.
#include <nen/nen.hpp>
#include <nen/testing/simulated_server.hpp>

#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace {

constexpr std::size_t long_bytes = 4096;

const std::string& letters() {
  static const std::string text = [] {
    std::string made;
    for (std::size_t i = 0; i < 2 * long_bytes; ++i) made += static_cast<char>('a' + i % 26);
    return made;
  }();
  return text;
}

nen::task<nen::reply> by_parts(nen::context& ctx, std::uint32_t before, std::uint32_t after,
                               nen::response& res) {
  const std::string_view text = letters();
  res.field("X-Before", "yes").begin("text/plain");
  res.write(text.substr(0, before));
  co_await ctx.sleep(10);
  res.write(text.substr(before, after));
  co_await ctx.sleep(10);
  co_return res.finish();
}
nen::task<nen::reply> head_only(nen::context& ctx, nen::response& res) {
  res.field("X-Before", "yes");
  co_await ctx.sleep(10);
  co_return res.field("X-After", "yes").set_status(nen::status::created).text("made");
}
nen::task<nen::reply> finished(nen::context& ctx, nen::response& res) {
  const nen::reply done = res.send_static("text/plain", "these bytes stay where they are");
  co_await ctx.sleep(10);
  co_return done;
}
nen::task<nen::reply> nothing(nen::context& ctx, nen::response& res) {
  co_await ctx.sleep(10);
  co_return res.text("nothing was written before");
}
nen::reply now(nen::response& res) { return res.text("now"); }
nen::reply elsewhere(nen::response& res) { return res.send_static("text/plain", "elsewhere"); }

using routes =
    nen::router<nen::get<"/parts/:before/:after", by_parts>, nen::get<"/head", head_only>,
                nen::get<"/finished", finished>, nen::get<"/nothing", nothing>,
                nen::get<"/now", now>, nen::get<"/elsewhere", elsewhere>>;
constexpr nen::config narrow = {.send_slot_bytes = 1024, .response_bytes_max = long_bytes};
using server = nen::testing::simulated_server<routes, narrow>;

std::string ask(std::string_view method, std::string_view path) {
  return std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n";
}
/// The bytes of the last answer, with whatever stands before and behind the slow one.
std::string answers_to(std::string_view first, std::string_view method, std::string_view path) {
  server s;
  auto c = s.connect();
  std::string sent = first.empty() ? "" : ask("GET", first);
  c.send(sent + ask(method, path) + ask("GET", "/now"));
  s.pass(100);
  CHECK(s.inside().session().inner().tasks().in_use() == 0);
  CHECK(s.inside().session().frames().in_use() == 0);
  return c.take();
}
std::string body_behind(const std::string& answers, std::string_view head) {
  const auto at = answers.find(head);
  if (at == std::string::npos) return "no " + std::string(head) + " in " + answers;
  const auto body = answers.find("\r\n\r\n", at) + 4;
  return answers.substr(body, answers.find("HTTP/1.1", body) - body);
}

}  // namespace

TEST_CASE("a body that was begun before a coroutine waited goes on behind it", "[task]") {
  struct lengths {
    std::size_t before, after;
  };
  // In one slot, at its edge, in several, and as much as is allowed.
  constexpr lengths table[] = {{0, 0},     {1, 1},      {700, 100},   {0, 4096},    {4096, 0},
                               {2000, 96}, {900, 3000}, {1024, 1024}, {3072, 1024}, {1, 4095}};
  for (const auto& [before, after] : table) {
    for (const std::string_view first : {"", "/now", "/elsewhere"}) {
      INFO(before << " and " << after << " bytes behind " << first);
      const auto got = answers_to(first, "GET",
                                  "/parts/" + std::to_string(before) + "/" + std::to_string(after));
      CHECK(body_behind(got, "X-Before: yes\r\n") == letters().substr(0, before + after));
      CHECK(got.ends_with("\r\n\r\nnow"));
    }
  }
}

TEST_CASE("a body that gets too long when its coroutine goes on becomes a 500", "[task]") {
  for (const std::string_view path : {"/parts/1/4096", "/parts/4096/1", "/parts/2048/2049"}) {
    const auto got = answers_to("/now", "GET", path);
    CHECK(got.find("HTTP/1.1 500 ") != std::string::npos);
    CHECK(got.find("X-Before") == std::string::npos);
  }
  CHECK(answers_to("", "HEAD", "/parts/2048/2049").find("HTTP/1.1 500 ") == 0);
}

TEST_CASE("HEAD has the length of what a coroutine wrote before and after waiting", "[task]") {
  const auto got = answers_to("", "HEAD", "/parts/1000/2000");
  CHECK(got.find("3000\r\n") != std::string::npos);
  CHECK(body_behind(got, "X-Before: yes\r\n").empty());
}

TEST_CASE("fields, status and finished answers survive waiting", "[task]") {
  for (const std::string_view first : {"", "/now", "/elsewhere"}) {
    const auto head = answers_to(first, "GET", "/head");
    CHECK(head.find("HTTP/1.1 201 Created\r\n") != std::string::npos);
    CHECK(body_behind(head, "X-Before: yes\r\nX-After: yes\r\n") == "made");
    CHECK(answers_to(first, "GET", "/finished")
              .find("\r\n\r\nthese bytes stay where they areHTTP/1.1 200 OK") != std::string::npos);
    CHECK(answers_to(first, "GET", "/nothing")
              .find("\r\n\r\nnothing was written beforeHTTP/1.1 200 OK") != std::string::npos);
  }
}
