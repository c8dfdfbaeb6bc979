// Names asked for with c-ares, on the kernel's ring, from a name server that the test is.
#include <nen/client/ares_resolver.hpp>
#include <nen/client/client_loop.hpp>
#include <nen/client/http_client.hpp>
#include <nen/nen.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

#include "support/catch.hpp"

namespace {

using nen::context;
using nen::resolve_outcome;
using nen::task;

/// Answers over UDP: *.four has an A record, *.six an AAAA, *.both both, *.lost no answer at all,
/// everything else does not exist.
class name_server {
 public:
  name_server() {
    fd_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&here), sizeof here) == 0);
    socklen_t size = sizeof here;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&here), &size);
    address = "127.0.0.1:" + std::to_string(ntohs(here.sin_port));
    thread_ = std::thread([this] { run(); });
  }
  ~name_server() {
    stops_ = true;
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }

  std::string address;
  std::atomic<int> questions{0};

 private:
  void run() {
    const timeval patience{0, 50'000};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    std::array<char, 512> bytes;
    while (!stops_) {
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const auto got =
          ::recvfrom(fd_, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (got < 17) continue;
      ++questions;
      const std::string reply = answer({bytes.data(), static_cast<std::size_t>(got)});
      if (!reply.empty())
        ::sendto(fd_, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  }
  static std::string answer(std::string_view question) {
    std::string name;
    std::size_t at = 12;
    while (question[at] != 0) {
      const auto size = static_cast<std::size_t>(question[at]);
      name += std::string(question.substr(at + 1, size)) + '.';
      at += 1 + size;
    }
    const bool asks_four = question[at + 2] == 1;
    const std::size_t end = at + 5;
    if (name.ends_with(".lost.")) return {};
    const bool has_four = name.ends_with(".four.") || name.ends_with(".both.");
    const bool has_six = name.ends_with(".six.") || name.ends_with(".both.");
    std::string reply(question.substr(0, end));
    reply[2] = static_cast<char>(0x81);  // a response, recursion desired
    reply[3] = static_cast<char>(has_four || has_six ? 0x80 : 0x83);  // 3: no such name
    const bool has_it = asks_four ? has_four : has_six;
    reply[7] = has_it ? 1 : 0;
    reply[8] = reply[9] = reply[10] = reply[11] = 0;
    if (!has_it) return reply;
    reply += std::string("\xc0\x0c", 2);
    reply += std::string("\x00", 1) + (asks_four ? '\x01' : '\x1c');
    reply += std::string("\x00\x01\x00\x00\x00\x3c", 6);
    if (asks_four) return reply + std::string("\x00\x04\x7f\x00\x00\x01", 6);
    return reply + std::string("\x00\x10", 2) + std::string(15, '\0') + '\x01';
  }

  int fd_ = -1;
  std::thread thread_;
  std::atomic<bool> stops_{false};
};

nen::client_loop<> loop;
nen::ares_resolver<2> names;

/// One name server for all tests: c-ares is told of it once.
name_server& server() {
  static name_server* const only = [] {
    auto* made = new name_server;
    REQUIRE(names.open(made->address.c_str(), 100, 2));
    return made;
  }();
  return *only;
}

struct told {
  resolve_outcome outcome{};
  std::string addresses;
};

task<int> ask_once(context& ctx, std::string name, std::uint32_t timeout_ms, told& into) {
  nen::resolved found;
  const nen::resolver& by = *names.resolver();
  into.outcome = co_await by.resolve(by.state, ctx, name, 80, timeout_ms, found);
  for (std::size_t i = 0; i < found.size(); ++i)
    into.addresses += std::string(found[i].to_string().view()) + ' ';
  co_return 0;
}

told ask(std::string name, std::uint32_t timeout_ms = 2'000) {
  server();
  told into;
  REQUIRE(loop.run([&](context& ctx) { return ask_once(ctx, name, timeout_ms, into); }));
  return into;
}

}  // namespace

TEST_CASE("c-ares: a name has the addresses that the name server says", "[client]") {
  const told four = ask("a.four");
  CHECK(four.outcome == resolve_outcome::ok);
  CHECK(four.addresses == "127.0.0.1:80 ");
  CHECK(ask("a.six").addresses == "[::1]:80 ");
  CHECK(ask("a.both").addresses == "[::1]:80 127.0.0.1:80 ");  // RFC 8305 §4
}

TEST_CASE("c-ares: what is no name, and what nobody answers for, is told in time", "[client]") {
  CHECK(ask("no.where").outcome == resolve_outcome::unknown);
  CHECK(ask("").outcome == resolve_outcome::unknown);
  CHECK(ask(std::string(300, 'x')).outcome == resolve_outcome::unknown);
  CHECK(ask("a.lost", 50).outcome == resolve_outcome::timed_out);
  CHECK(ask("b.lost", 5'000).outcome == resolve_outcome::timed_out);  // c-ares gives up earlier
  CHECK(ask("b.four").outcome == resolve_outcome::ok);                // and is as good as new
}

TEST_CASE("c-ares: many names are asked for at once", "[client]") {
  server();
  std::array<told, 12> said;
  const auto all = [&](context& ctx) -> task<int> {
    (void)co_await nen::when_all(
        ask_once(ctx, "a.four", 2000, said[0]), ask_once(ctx, "b.six", 2000, said[1]),
        ask_once(ctx, "c.both", 2000, said[2]), ask_once(ctx, "d.four", 2000, said[3]),
        ask_once(ctx, "e.no", 2000, said[4]), ask_once(ctx, "f.lost", 150, said[5]));
    co_return 0;
  };
  REQUIRE(loop.run(all));
  CHECK(said[0].outcome == resolve_outcome::ok);
  CHECK(said[1].outcome == resolve_outcome::ok);
  CHECK(said[2].outcome == resolve_outcome::ok);
  CHECK(said[3].outcome == resolve_outcome::ok);
  CHECK(said[4].outcome == resolve_outcome::unknown);
  CHECK(said[5].outcome == resolve_outcome::timed_out);
}

TEST_CASE("c-ares: who asks may leave before the answer", "[client]") {
  server();
  for (int i = 0; i < 20; ++i) {
    told into;
    const auto leave = [&](context& ctx) -> task<int> {
      (void)co_await nen::with_deadline(ctx, static_cast<std::uint32_t>(i % 4),
                                        ask_once(ctx, i % 2 == 0 ? "a.four" : "a.lost", 0, into));
      co_return 0;
    };
    REQUIRE(loop.run(leave));
  }
  CHECK(ask("c.four").outcome == resolve_outcome::ok);
}
