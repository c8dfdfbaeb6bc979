// From names to connections: /etc/hosts, a resolver, and the first of several addresses that
// answers.
#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "client/asking.hpp"

namespace {

using namespace nen::test::asking;
using namespace std::chrono_literals;
using nen::context;
using nen::resolve_outcome;
using nen::resolved;
using nen::task;
using nen::http::fetch_error;
using nen::testing::connect_answer;

/// Knows one name.
struct phone_book {
  std::vector<std::uint16_t> ports;  // of 127.0.0.1: different addresses, for a test
  resolve_outcome outcome = resolve_outcome::ok;
  std::uint32_t takes_ms = 0;
  std::string asked = {};

  static task<resolve_outcome> resolve(void* state, context& ctx, std::string_view name,
                                       std::uint16_t port, std::uint32_t, resolved& into) {
    auto& self = *static_cast<phone_book*>(state);
    self.asked = std::string(name) + ":" + std::to_string(port);
    if (self.takes_ms != 0) co_await ctx.sleep(self.takes_ms);
    for (const std::uint16_t each : self.ports) into.add(*nen::endpoint::parse("127.0.0.1", each));
    co_return self.outcome;
  }
};

/// A world in which "app" is in the phone book.
struct named_world {
  explicit named_world(phone_book its, const nen::http::options& how = {.connect_timeout = 2s})
      : book(std::move(its)),
        known{phone_book::resolve, &book},
        w(
            [how](context& ctx) -> task<std::string> {
              co_return describe(co_await ctx.http().get("http://app:80/", how));
            },
            1, {}, {.clients = {.resolver = &known}}) {}

  /// How many of the addresses are being connected to.
  std::uint32_t connecting() { return w.s.inside().session().streams().in_use(); }
  void answer() {
    w.s.settle();
    servers.push_back(w.upstream());
    servers.back().send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    w.s.settle();
  }

  phone_book book;
  nen::resolver known;
  world<> w;
  std::vector<nen::testing::simulated_client> servers;
};

std::string found(const nen::detail::hosts_file& file, std::string_view name) {
  resolved into;
  file.find(name, 80, into);
  std::string all;
  for (std::size_t i = 0; i < into.size(); ++i)
    all += std::string(into[i].to_string().view()) + " ";
  return all;
}

}  // namespace

TEST_CASE("a hosts file is read as hosts(5) says", "[resolving]") {
  static nen::detail::hosts_file file;
  file.load(
      "# comment one\n"
      "10.0.0.1\tone One.example\r\n"
      "  10.0.0.2   two one # three\n"
      "::1 six one\n"
      "nonsense four\n"
      "\n"
      "10.0.0.5");
  CHECK(found(file, "one") == "10.0.0.1:80 10.0.0.2:80 [::1]:80 ");
  CHECK(found(file, "ONE.EXAMPLE") == "10.0.0.1:80 ");
  CHECK(found(file, "two") == "10.0.0.2:80 ");
  CHECK(found(file, "three").empty());
  CHECK(found(file, "four").empty());
  CHECK(found(file, "10.0.0.1").empty());
  CHECK(found(file, "").empty());
}

TEST_CASE("of a hosts file that is too long, no half name is known", "[resolving]") {
  static nen::detail::hosts_file file;
  std::string text = "10.0.0.1 first\n";
  while (text.size() < file.bytes_max - 20) text += "10.0.0.9 other\n";
  text += "10.0.0.2 " + std::string(50, 'x') + "\n10.0.0.3 last\n";
  file.load(text);
  CHECK(found(file, "first") == "10.0.0.1:80 ");
  CHECK(found(file, "last").empty());
  for (std::size_t n = 1; n <= 50; ++n) CHECK(found(file, std::string(n, 'x')).empty());
  file.load("");
  CHECK(found(file, "first").empty());
}

TEST_CASE("a hosts file that is not there knows nobody, and the system's is read", "[resolving]") {
  static nen::detail::hosts_file file;
  file.read("/no/such/file");
  CHECK(found(file, "localhost").empty());
  file.read("/etc/hosts");
  CHECK(found(file, "localhost").find("127.0.0.1:80 ") != std::string::npos);
}

TEST_CASE("more addresses than are needed are left out", "[resolving]") {
  resolved into;
  for (std::uint16_t i = 0; i < 20; ++i) {
    const bool taken = into.add(*nen::endpoint::parse("10.0.0.1", i));
    CHECK(taken == (i < resolved::count_max));
  }
  CHECK(into.size() == resolved::count_max);
}

TEST_CASE("a resolver is asked for a name, with the URL's port", "[resolving]") {
  named_world n({{port}});
  n.w.start();
  CHECK(n.book.asked == "app:80");
  n.answer();
  CHECK(n.w.told() == "200 x");
}

TEST_CASE("a resolver's failures are the fetch's", "[resolving]") {
  const struct {
    phone_book book;
    fetch_error error;
  } cases[] = {
      {{{}, resolve_outcome::unknown}, fetch_error::unknown_host},
      {{{}, resolve_outcome::ok}, fetch_error::unknown_host},
      {{{}, resolve_outcome::timed_out}, fetch_error::connect_timed_out},
      {{{}, resolve_outcome::overloaded}, fetch_error::no_connection},
      {{{port}, resolve_outcome::ok, 60'000}, fetch_error::connect_timed_out},
  };
  for (const auto& one : cases) {
    named_world n(one.book);
    n.w.start();
    n.w.s.pass(2001);
    CHECK(n.w.told() == describe(one.error));
    CHECK(n.w.is_clean());
  }
}

TEST_CASE("the first address that answers is used", "[resolving]") {
  constexpr auto yes = connect_answer::accepted;
  constexpr auto no = connect_answer::refused;
  constexpr auto silent = connect_answer::silent;
  const struct {
    std::vector<connect_answer> answers;
    std::uint32_t after_ms;
    std::size_t which;
  } cases[] = {
      {{yes, yes}, 0, 0},
      {{no, yes}, 0, 1},
      {{no, no, no, yes}, 0, 3},
      {{silent, yes}, 250, 1},
      {{silent, no, yes}, 250, 2},
      {{no, silent, yes}, 250, 2},
      {{silent, silent, yes}, 500, 2},
      {{silent, silent, silent, silent, silent, silent, silent, yes}, 1750, 7},
  };
  for (const auto& one : cases) {
    std::vector<std::uint16_t> ports;
    for (std::size_t i = 0; i < one.answers.size(); ++i)
      ports.push_back(static_cast<std::uint16_t>(200 + i));
    named_world n({ports}, {.connect_timeout = 4s});
    for (std::size_t i = 0; i < ports.size(); ++i) n.w.listen(ports[i], one.answers[i]);
    n.w.start();
    INFO("after " << one.after_ms << ", the one at " << one.which);
    if (one.after_ms != 0) {
      n.w.s.pass(one.after_ms - 3);
      CHECK_FALSE(n.w.has_upstream());
      n.w.s.pass(10);
    }
    REQUIRE(n.w.has_upstream());
    CHECK(n.w.s.network().went_out.front().to.port() == 200 + one.which);
    n.answer();
    CHECK(n.w.told() == "200 x");
    CHECK(n.w.is_clean());
    CHECK(n.w.kept() == 1);  // the others are closed

    n.w.start();  // and the next request does not try those again that did not answer
    CHECK_FALSE(n.w.has_upstream());
    CHECK(n.connecting() == 1);
  }
}

TEST_CASE("when no address answers, the last one says why", "[resolving]") {
  SECTION("refused") {
    named_world n({{201, 202, 203}});
    n.w.start();
    CHECK(n.w.told() == describe(fetch_error::refused));
    CHECK((n.w.is_clean() && n.w.kept() == 0));
  }
  SECTION("silent") {
    named_world n({{201, 202, 203}});
    for (const std::uint16_t each : n.book.ports) n.w.listen(each, connect_answer::silent);
    n.w.start();
    n.w.s.pass(1990);
    CHECK(n.connecting() == 3);
    CHECK(n.w.told().empty());
    n.w.s.pass(20);
    CHECK(n.w.told() == describe(fetch_error::connect_timed_out));
    CHECK((n.w.is_clean() && n.w.kept() == 0));
  }
  SECTION("the last one refuses long before the first one is given up") {
    named_world n({{201, 202}});
    n.w.listen(201, connect_answer::silent);
    n.w.start();
    n.w.s.pass(1990);
    CHECK(n.w.told().empty());
    n.w.s.pass(20);
    CHECK(n.w.told() == describe(fetch_error::refused));
  }
}

TEST_CASE("who leaves while addresses are tried leaves nothing behind", "[resolving]") {
  named_world n({{201, 202, 203, 204}});
  for (const std::uint16_t each : n.book.ports) n.w.listen(each, connect_answer::silent);
  n.w.start();
  n.w.s.pass(600);
  CHECK(n.connecting() == 3);
  n.w.client.close();
  n.w.s.settle();
  CHECK((n.w.is_clean() && n.w.kept() == 0));
}
