// Clients that do everything at once to a server that is too small for them: whatever it answers is
// right and in order, nobody waits for ever, and at the end every pool is full again.
#include <atomic>
#include <random>
#include <thread>

#include "support/test_server.hpp"

namespace {

using nen::shard_counters;
using nen::test::answer;
using nen::test::client;
using nen::test::milliseconds;
using nen::test::running;

char large[512 * 1024];

using routes =
    nen::router<nen::get<"/n/:n", [](std::uint32_t n, nen::response& res) { return res.json(n); }>,
                nen::get<"/copy/:n",
                         [](std::uint32_t n, nen::response& res) {
                           return res.bytes({large, n % 2049});
                         }>,
                nen::get<"/large",
                         [](nen::response& res) {
                           return res.send_static("a/b", {large, sizeof large});
                         }>,
                nen::post<"/echo", [](const nen::request& req, nen::response& res) {
                  return res.bytes(req.body());
                }>>;

constexpr nen::config tiny(std::uint32_t shards) {
  return {.shards = shards,
          .connections = 5,
          .receive_buffers = 4,
          .receive_buffer_bytes = 128,
          .send_slots = 7,
          .send_slot_bytes = 1024,
          .response_bytes_max = 2048,
          .head_slots = 2,
          .head_bytes_max = 512,
          .target_bytes_max = 128,
          .body_slots = 2,
          .body_bytes_max = 1024};
}
nen::server<routes, tiny(1)> one;
nen::server<routes, tiny(3)> three;

constexpr nen::listen_options hasty = {.header_timeout = milliseconds(300),
                                       .body_timeout = milliseconds(300),
                                       .write_timeout = milliseconds(400),
                                       .idle_timeout = milliseconds(300),
                                       .linger_timeout = milliseconds(50),
                                       .drain_timeout = milliseconds(500),
                                       .requests_per_connection_max = 40};

/// One client's doings, repeatable by its seed as far as the kernel's timing is.
class visitor {
 public:
  visitor(std::uint16_t port, unsigned seed) : port_(port), random_(seed) {}

  std::string wrong;  ///< what a server must never do

  void visit() {
    try {
      client c(port_, below(2) == 0 ? 4096 : 0);
      c.patience = 5000;
      expected_.clear();
      for (auto i = below(6) + 1; i != 0; --i) act(c);
      if (below(4) == 0) return;  // leaves without a word
      if (below(4) == 0) return c.reset();
      if (below(3) == 0) c.finish_sending();
      read_all(c);
    } catch (const std::runtime_error& e) {
      // The server may close at any time; what it may not do is to send nonsense or nothing at all.
      const std::string_view what = e.what();
      for (const char* fault :
           {"nothing came", "nothing moves", " in: ", "Content-Length", "Transfer"})
        if (what.find(fault) != what.npos) wrong = what;
    }
  }

 private:
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(random_()) % n; }

  void act(client& c) {
    switch (below(8)) {
      case 0:
        return request(c, "GET /large HTTP/1.1\r\nHost: h\r\n\r\n", {large, sizeof large});
      case 1: {
        std::string body(below(1100), 'b');
        return request(c,
                       "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: " +
                           std::to_string(body.size()) + "\r\n\r\n" + body,
                       body);
      }
      case 2:
        return request(c,
                       "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "6\r\nchunk-\r\n2\r\ned\r\n0\r\n\r\n",
                       "chunk-ed");
      case 3:
        for (auto i = below(30); i != 0; --i) {
          const auto n = below(5000);
          request(c, "GET /copy/" + std::to_string(n) + " HTTP/1.1\r\nHost: h\r\n\r\n",
                  {large, n % 2049});
        }
        return;
      case 4:
        ::usleep(below(20'000));
        return;
      case 5:
        if (below(4) == 0) request(c, "nonsense\r\n\r\n", "?");
        return;
      case 6:
        return read_some(c);
      default: {
        const auto n = std::to_string(below(1000));
        return request(c, "GET /n/" + n + " HTTP/1.1\r\nHost: h\r\n\r\n", n);
      }
    }
  }

  void request(client& c, const std::string& bytes, std::string_view answer) {
    expected_.emplace_back(answer);
    const auto cut = below(3) == 0 ? below(static_cast<std::uint32_t>(bytes.size())) : 0;
    c.send_while_reading(bytes.substr(0, cut));
    if (cut != 0) ::usleep(below(500));
    c.send_while_reading(bytes.substr(cut));
  }

  void read_some(client& c) {
    for (auto i = below(static_cast<std::uint32_t>(expected_.size()) + 1); i != 0; --i) read_one(c);
  }
  void read_all(client& c) {
    while (!expected_.empty()) read_one(c);
  }
  void read_one(client& c) {
    const answer a = c.read_answer();
    if (a.status == 200 && a.body != expected_.front()) wrong = "the answer to something else";
    if (a.status != 200 && !a.says_close()) wrong = "an error that goes on";
    expected_.erase(expected_.begin());
    if (a.says_close()) throw std::runtime_error("the end");
  }

  std::uint16_t port_;
  std::mt19937 random_;
  std::vector<std::string> expected_;
};

template <class Server>
void chaos(Server& server, std::uint32_t shards, bool stop_early) {
  for (std::size_t i = 0; i < sizeof large; ++i) large[i] = static_cast<char>('a' + i % 23);
  running run(server, hasty, shards);
  std::atomic<bool> over = false;
  std::vector<visitor> visitors;
  for (unsigned i = 0; i < 10; ++i) visitors.emplace_back(run.port(), i + 1);
  std::vector<std::jthread> threads;
  for (visitor& v : visitors)
    threads.emplace_back([&] {
      while (!over && v.wrong.empty()) v.visit();
    });
  ::usleep(stop_early ? 150'000 : 1'500'000);
  if (stop_early) {
    server.stop();
    run.join();
  }
  over = true;
  threads.clear();
  for (const visitor& v : visitors) CHECK(v.wrong == "");
  stop_early ? run.check() : run.end();
  std::uint64_t requests = 0;
  for (std::uint32_t i = 0; i < shards; ++i) requests += run.count(&shard_counters::requests, i);
  CHECK(requests > (stop_early ? 0u : 100u));
}

}  // namespace

TEST_CASE("a crowd on one small shard is treated right", "[server]") { chaos(one, 1, false); }

TEST_CASE("a crowd on three small shards is treated right", "[server]") { chaos(three, 3, false); }

TEST_CASE("a server may be stopped in the middle of a crowd", "[server]") {
  for (int i = 0; i < 5; ++i) {
    chaos(one, 1, true);
    chaos(three, 3, true);
  }
}
