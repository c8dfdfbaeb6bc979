// What a server has to say: to the application that wants to know, else on stderr, without ever
// being held up by it.
#include <fcntl.h>

#include <stdexcept>
#include <string>
#include <string_view>

#include "support/test_server.hpp"

namespace {

using namespace nen::test;

nen::reply throws(std::string_view, const nen::request&, nen::response&) {
  throw std::runtime_error("on \"purpose\"\n\x1b[2J");
}
nen::reply hello(nen::response& res) { return res.text("hello"); }
using routes = nen::router<nen::get<"/", hello>, nen::get<"/throws/*rest", throws>>;

nen::server<routes, nen::config{.connections = 16, .client_addresses = true}> server;

void ask(std::uint16_t port, std::string_view path, int times, int status) {
  client c(port);
  for (int i = 0; i < times; ++i) {
    c.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n\r\n");
    REQUIRE(c.read_answer().status == status);
  }
}

/// A pipe in place of this process's stderr.
class stolen_stderr {
 public:
  stolen_stderr() : before_(::dup(STDERR_FILENO)) {
    if (::pipe2(ends_, O_NONBLOCK) != 0) throw std::runtime_error("pipe");
    ::dup2(ends_[1], STDERR_FILENO);
  }
  ~stolen_stderr() {
    ::dup2(before_, STDERR_FILENO);
    for (const int end : {before_, ends_[0], ends_[1]}) ::close(end);
  }
  stolen_stderr(const stolen_stderr&) = delete;
  stolen_stderr& operator=(const stolen_stderr&) = delete;

  std::string text() const {
    std::string all;
    char bytes[4096];
    for (ssize_t got; (got = ::read(ends_[0], bytes, sizeof bytes)) > 0;)
      all.append(bytes, static_cast<std::size_t>(got));
    return all;
  }
  /// As a terminal or a supervisor has it: whoever writes waits for room, and there is none.
  void fill_up() const {
    const std::string much(4096, 'x');
    while (::write(ends_[1], much.data(), much.size()) > 0) {
    }
    ::fcntl(ends_[1], F_SETFL, ::fcntl(ends_[1], F_GETFL) & ~O_NONBLOCK);
  }

 private:
  int before_;
  int ends_[2];
};

/// The limit is for each second: a test begins with one.
void wait_for_next_second() {
  const auto now = ::time(nullptr);
  while (::time(nullptr) == now) ::usleep(1000);
}

}  // namespace

TEST_CASE("exceptions are said on stderr, on one line") {
  wait_for_next_second();
  std::string text;
  {
    const stolen_stderr taken;
    running run(server);
    ask(run.port(), "/throws/%22?q", 1, 500);
    run.end();
    text = taken.text();
  }
  // What the test before had left out is said as well.
  if (const auto before = text.find(" more were left out\n"); before != text.npos)
    text.erase(0, text.find('\n') + 1);
  CHECK(text ==
        "nen: an exception left a handler: on \\x22purpose\\x22\\x0A\\x1B[2J (GET "
        "/throws/%22)\n");
}

TEST_CASE("a flood of exceptions is not a flood on stderr") {
  wait_for_next_second();
  std::string text;
  {
    const stolen_stderr taken;
    running run(server);
    ask(run.port(), "/throws/x", 200, 500);
    wait_for_next_second();
    ask(run.port(), "/throws/last", 1, 500);
    run.end();
    text = taken.text();
  }
  const auto lines = std::count(text.begin(), text.end(), '\n');
  CHECK(lines >= 22);
  CHECK(lines <= 44);  // the 200 may take their time
  CHECK(text.find(" more were left out\n") != std::string::npos);
  CHECK(text.ends_with("(GET /throws/last)\n"));
}

TEST_CASE("a stderr that takes nothing holds nobody up") {
  wait_for_next_second();
  const stolen_stderr taken;
  taken.fill_up();
  running run(server);
  const stopwatch watch;
  ask(run.port(), "/throws/x", 30, 500);
  ask(run.port(), "/", 30, 200);
  CHECK(watch.milliseconds() < 2000);
}

TEST_CASE("the application is told instead, with the request and whose it is") {
  static std::string seen;
  seen.clear();
  nen::listen_options options;
  options.on_log = [](const nen::log_event& e) {
    if (e.request == nullptr) return;
    seen += std::string(to_string(e.code)) + (e.severity == nen::log_severity::error ? "! " : " ") +
            std::string(e.sentence.substr(0, 37)) + " " + std::string(e.request->target()) + " " +
            std::string(e.request->client().to_text().view());
  };
  std::string text;
  {
    const stolen_stderr taken;
    running run(server, options);
    ask(run.port(), "/throws/x?y", 1, 500);
    run.end();
    text = taken.text();
  }
  CHECK(seen == "exception! an exception left a handler: on \"purp /throws/x?y 127.0.0.1");
  CHECK(text.empty());
}

TEST_CASE("who wants exceptions alone has them alone") {
  static int exceptions, events;
  exceptions = events = 0;
  nen::listen_options options;
  options.on_log = [](const nen::log_event&) { ++events; };
  options.on_exception = [](const nen::request& which, const char* what) {
    // Assertions are for the test's own thread.
    if (which.path() == "/throws/x" && std::string_view(what).starts_with("on \"purpose\""))
      ++exceptions;
  };
  running run(server, options);
  ask(run.port(), "/throws/x", 3, 500);
  run.end();
  CHECK(exceptions == 3);
  CHECK(events == 0);
}

TEST_CASE("each code has a name") {
  CHECK(to_string(nen::log_code::exception) == "exception");
  CHECK(to_string(nen::log_code::accept_failed) == "accept_failed");
  CHECK(to_string(nen::log_code::access_log_failed) == "access_log_failed");
  CHECK(to_string(static_cast<nen::log_code>(77)) == "unknown");
}
