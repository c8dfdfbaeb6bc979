// The application that simulated clients talk to: one route for every way to answer, and for each
// request what the answer has to be.
#pragma once

#include <nen/http/body_part.hpp>
#include <nen/http/body_stream.hpp>
#include <nen/http/json.hpp>
#include <nen/http/router.hpp>
#include <nen/testing/random.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>

namespace nen::test::sim {

inline constexpr std::size_t letters_max = 64 * 1024;
inline const std::array<char, letters_max> alphabet = [] {
  std::array<char, letters_max> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<char>('a' + i % 26);
  return all;
}();
/// At most letters_max of them: hostile clients ask for more.
inline std::string_view letters(std::size_t size) {
  return {alphabet.data(), std::min(size, letters_max)};
}

inline std::uint32_t sum_of(std::string_view bytes, std::uint32_t before = 0) {
  for (const char c : bytes) before = before * 31 + static_cast<unsigned char>(c);
  return before;
}

struct app {
  /// Requests that wait for somebody else's word.
  std::array<deferred, 4> waiting;
};

inline reply number(std::uint32_t n, response& res) { return res.json({{"n", n}}); }
inline reply echo(const request& req, response& res) { return res.bytes(req.body()); }
inline reply bytes(std::uint32_t n, response& res) { return res.bytes(letters(n)); }
inline reply fixed(std::uint32_t n, response& res) {
  return res.send_static("text/plain", letters(n));
}
/// The sum of a body of any length; rests a while now and then.
inline reply sum(std::uint32_t rest_ms, response& res) {
  return res.receive([=, so_far = 0U](const body_part& part, response& r) mutable {
    so_far = sum_of(part.bytes, so_far);
    return part.is_last ? r.json({{"sum", so_far}}) : r.more(rest_ms);
  });
}
inline reply chunks(std::uint32_t size, std::uint32_t count, response& res) {
  return res.stream("a/b", [size, left = count](body_stream& out) mutable {
    if (out.ended()) return;
    for (; left != 0; --left)
      if (!out.write(letters(size))) return;
    (void)out.finish({{"X-Trailer", "yes"}});
  });
}
inline reply drip(std::uint32_t ms, std::uint32_t count, response& res) {
  return res.stream("a/b", [=, left = count, slept = false](body_stream& out) mutable {
    if (out.ended()) return;
    if (slept) {
      if (!out.write("x")) return;
      --left;
    }
    slept = true;
    if (left != 0) return out.sleep(ms);
    (void)out.finish();
  });
}
inline reply slow(std::uint32_t ms, response& res) {
  res.defer().after(ms, [ms](const request&, response& later) { return later.json({{"ms", ms}}); });
  return res.later();
}
/// Answered by whoever asks for /tell/:i, or after a while.
inline reply wait(std::uint32_t i, app& a, response& res) {
  if (i >= a.waiting.size()) return res.status(404);
  a.waiting[i] = res.defer();
  a.waiting[i].after(500, [](const request&, response& later) { return later.text("told"); });
  return res.later();
}
inline reply tell(std::uint32_t i, app& a, response& res) {
  if (i < a.waiting.size())
    (void)a.waiting[i].complete([](const request&, response& later) { return later.text("told"); });
  return res.text("done");
}
inline reply fails(response& res) {
  throw std::runtime_error("on purpose");
  return res.text("");
}

/// @tparam More  what is routed besides
template <class... More>
using routes_with = router<get<"/n/:n", number>, post<"/echo", echo>, get<"/bytes/:n", bytes>,
                           get<"/fixed/:n", fixed>, streamed<post<"/sum/:ms", sum>>,
                           get<"/chunks/:size/:count", chunks>, get<"/drip/:ms/:count", drip>,
                           get<"/slow/:ms", slow>, get<"/wait/:i", wait>, get<"/tell/:i", tell>,
                           get<"/fails", fails>, More...>;
using routes = routes_with<>;

/// A request, and its answer.
struct exchange {
  std::string bytes;
  int status = 200;
  std::string body;
  bool is_head = false;
  bool closes = false;  ///< nothing is answered behind it
  /// It is not answered at once: who sends his end meanwhile counts as gone.
  bool waits = false;
};

/// @param copied_max  response_bytes_max of the server
inline exchange make_exchange(testing::random& chance, std::size_t copied_max,
                              std::size_t body_max) {
  const auto text = [](std::uint64_t n) { return std::to_string(n); };
  exchange made;
  std::string method = "GET";
  std::string target;
  std::string body;
  bool has_body = false;
  const auto n = chance.below(1000);
  switch (chance.below(13)) {
    case 0:
    case 1:
      target = "/n/" + text(n);
      made.body = "{\"n\":" + text(n) + "}";
      break;
    case 2: {
      method = "POST";
      target = "/echo";
      has_body = true;
      body = letters(chance.below(chance.chance(100) ? body_max * 2 : body_max + 1));
      made.body = body;
      break;
    }
    case 3: {
      const auto size = chance.below(copied_max + 1);
      target = "/bytes/" + text(size);
      made.body = letters(size);
      break;
    }
    case 4: {
      const auto size = chance.below(letters_max + 1);
      target = "/fixed/" + text(size);
      made.body = letters(size);
      break;
    }
    case 5: {
      method = "POST";
      target = "/sum/" + text(chance.chance(300) ? chance.below(20) : 0);
      has_body = true;
      body = letters(chance.below(8 * body_max));
      made.body = "{\"sum\":" + text(sum_of(body)) + "}";
      break;
    }
    case 6: {
      const auto size = chance.below(copied_max / 2) + 1;
      const auto count = chance.below(20);
      target = "/chunks/" + text(size) + "/" + text(count);
      for (std::uint64_t i = 0; i < count; ++i) made.body += letters(size);
      break;
    }
    case 7: {
      const auto count = chance.below(6);
      target = "/drip/" + text(chance.below(30)) + "/" + text(count);
      made.body = std::string(count, 'x');
      break;
    }
    case 8: {
      const auto ms = chance.below(200);
      target = "/slow/" + text(ms);
      made.body = "{\"ms\":" + text(ms) + "}";
      break;
    }
    case 9:
      target = "/wait/" + text(chance.below(4));
      made.body = "told";
      break;
    case 10:
      target = "/tell/" + text(chance.below(4));
      made.body = "done";
      break;
    case 11:
      target = chance.chance(500) ? "/nothing/here" : "/n/99999999999999";
      made.status = 404;
      break;
    default:
      if (chance.chance(300)) {
        target = "/fails";
        made.status = 500;
      } else {
        method = "PUT";
        target = "/echo";
        made.status = 405;
      }
      break;
  }
  if (method == "GET" && chance.chance(80)) {
    method = "HEAD";
    made.is_head = true;
  }
  for (const auto late : {"/sum", "/chunks", "/drip", "/slow", "/wait"})
    made.waits = made.waits || target.starts_with(late);
  made.closes = chance.chance(20);
  made.bytes = method + " " + target + " HTTP/1.1\r\nHost: sim\r\n";
  for (auto more = chance.below(4); more != 0; --more)
    made.bytes += "X-" + text(more) + ": " + std::string(letters(chance.below(40))) + "\r\n";
  if (made.closes) made.bytes += "Connection: close\r\n";
  if (!has_body) {
    made.bytes += "\r\n";
  } else if (chance.chance(500)) {
    made.bytes += "Content-Length: " + text(body.size()) + "\r\n\r\n" + body;
  } else {
    made.bytes += "Transfer-Encoding: chunked\r\n\r\n";
    for (std::string_view left = body; !left.empty();) {
      const auto part = left.substr(0, chance.between(1, left.size()));
      char size[20];
      std::snprintf(size, sizeof size, "%zx\r\n", part.size());
      made.bytes += size + std::string(part) + "\r\n";
      left.remove_prefix(part.size());
    }
    made.bytes += chance.chance(200) ? "0\r\nX-Trailer: 1\r\n\r\n" : "0\r\n\r\n";
  }
  if (target == "/echo" && method == "POST" && body.size() > body_max) {
    made.status = 413;
    made.closes = true;
  } else if (target == "/echo" && method == "POST" && body.size() > copied_max) {
    made.status = 500;  // too long for an answer
  }
  if (made.status != 200) made.body.clear();
  return made;
}

}  // namespace nen::test::sim
