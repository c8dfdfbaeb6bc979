// The access log of a real server: files, named pipes, descriptors of the application's, renamed
// files, and what is said at the start when there can't be a log.
#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "support/test_server.hpp"

namespace {

using namespace nen::test;
using nen::KiB;
using nen::shard_counters;

nen::reply hello(nen::response& res) { return res.text("hello"); }
using routes = nen::router<nen::get<"/", hello>>;

nen::server<routes, nen::config{.connections = 16, .log_bytes = 16 * KiB}> server;
nen::server<routes, nen::config{.shards = 2, .connections = 16, .log_bytes = 16 * KiB}> two_shards;
nen::server<routes, nen::config{.connections = 16}> without;

/// A folder that goes away with what is in it.
struct folder {
  std::string path;

  folder() {
    char name[] = "/tmp/nen-access-log-XXXXXX";
    if (::mkdtemp(name) == nullptr) throw std::runtime_error("mkdtemp");
    path = name;
  }
  ~folder() { std::filesystem::remove_all(path); }
  std::string operator/(std::string_view name) const { return path + "/" + std::string(name); }
};

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}
long lines_in(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

template <class Running>
void ask(Running& run, int times) {
  client c = run.connect();
  for (int i = 0; i < times; ++i) {
    c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    REQUIRE(c.read_answer().body == "hello");
  }
}

nen::listen_options logging_to(std::string_view path) {
  nen::listen_options options;
  options.access_log.path = path;
  return options;
}

/// The sentence with which a server does not start.
template <class Server>
std::string refusal(Server& s, nen::listen_options options) {
  options.host = "127.0.0.1";
  options.port = 0;
  const int before = open_descriptors();
  const auto started = s.start(options);
  REQUIRE(!started.has_value());
  CHECK(open_descriptors() == before);
  return std::string(started.error().message());
}

}  // namespace

TEST_CASE("lines are appended to the file, which is made where there is none") {
  const folder here;
  const std::string path = here / "log";
  for (const long wanted : {3, 6}) {
    running run(server, logging_to(path));
    ask(run, 3);
    run.end();
    const std::string text = content(path);
    CHECK(lines_in(text) == wanted);
    CHECK(text.starts_with("127.0.0.1 - - ["));
    CHECK(text.find("] \"GET / HTTP/1.1\" 200 5 \"-\" \"-\" 0.00") != std::string::npos);
    CHECK(text.ends_with(" - -\n"));
  }
  CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::others_all) ==
        std::filesystem::perms::none);
}

TEST_CASE("a line is written soon, not when there are many") {
  const folder here;
  const std::string path = here / "log";
  running run(server, logging_to(path));
  ask(run, 1);
  CHECK(eventually([&] { return lines_in(content(path)) == 1; }));
}

TEST_CASE("a descriptor of the application's is written to, and stays open") {
  const folder here;
  const std::string path = here / "log";
  const int mine = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  nen::listen_options options;
  options.access_log.descriptor = mine;
  {
    running run(server, options);
    ask(run, 2);
    CHECK(!server.reopen_log());  // it has no name that is known here
  }
  CHECK(::write(mine, "the last\n", 9) == 9);
  ::close(mine);
  const std::string text = content(path);
  CHECK(lines_in(text) == 3);
  CHECK(text.ends_with("the last\n"));
}

TEST_CASE("a file that was renamed is written until the log is opened anew") {
  const folder here;
  const std::string path = here / "log", old = here / "log.1";
  running run(two_shards, logging_to(path), 2);
  ask(run, 2);
  REQUIRE(eventually([&] { return lines_in(content(path)) == 2; }));
  std::filesystem::rename(path, old);
  ask(run, 3);
  REQUIRE(eventually([&] { return lines_in(content(old)) == 5; }));
  CHECK(two_shards.reopen_log());
  for (int i = 0; i < 4; ++i) ask(run, 1);
  run.end();
  CHECK(lines_in(content(old)) == 5);
  CHECK(lines_in(content(path)) == 4);
}

TEST_CASE("a log that cannot be opened anew goes on in the old file") {
  const folder here;
  std::filesystem::create_directory(here / "sub");
  const std::string path = here / "sub/log";
  running run(server, logging_to(path));
  std::filesystem::rename(here / "sub", here / "moved");
  CHECK(!server.reopen_log());
  ask(run, 2);
  run.end();
  CHECK(lines_in(content(here / "moved/log")) == 2);
}

TEST_CASE("SIGHUP opens the log anew, and stops nobody") {
  const folder here;
  const std::string path = here / "log", old = here / "log.1", ready = here / "ready";
  child process([&] {
    static std::string ready_at;
    ready_at = ready;
    nen::listen_options options = logging_to(path);
    options.host = "127.0.0.1";
    options.port = 0;
    options.on_listening = [](std::string_view address) {
      std::ofstream(ready_at) << address << "\n";
    };
    return server.run(options).exit_code();
  });
  REQUIRE(eventually([&] { return lines_in(content(ready)) == 1; }));
  const std::string address = content(ready);
  const auto port = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  const auto ask_once = [&] {
    client c(port);
    c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(c.read_answer().body == "hello");
  };
  ask_once();
  REQUIRE(eventually([&] { return lines_in(content(path)) == 1; }));
  std::filesystem::rename(path, old);
  process.signal(SIGHUP);
  REQUIRE(eventually([&] { return std::filesystem::exists(path); }));
  ask_once();
  process.signal(SIGTERM);
  CHECK(process.wait() == 0);
  CHECK(lines_in(content(old)) == 1);
  CHECK(lines_in(content(path)) == 1);
}

TEST_CASE("a pipe that nobody reads holds up neither requests nor the end") {
  const folder here;
  const std::string path = here / "pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  nen::listen_options options = logging_to(path);
  options.drain_timeout = milliseconds(300);
  running run(server, options);
  ask(run, 2000);
  CHECK(run.count(&shard_counters::log_lines_dropped) > 500);
  const stopwatch watch;
  run.end();
  CHECK(watch.shows(500));
  CHECK(run.count(&shard_counters::log_lines) <= 2000);
  CHECK(run.count(&shard_counters::log_write_errors) == 0);
}

TEST_CASE("whole lines go into a pipe, also from several shards") {
  const folder here;
  const std::string path = here / "pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const int reader = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  running run(two_shards, logging_to(path), 2);
  std::string text;
  const auto take = [&] {
    char bytes[4096];
    for (ssize_t got; (got = ::read(reader, bytes, sizeof bytes)) > 0;)
      text.append(bytes, static_cast<std::size_t>(got));
  };
  for (int i = 0; i < 40; ++i) {
    ask(run, 10);
    take();
  }
  CHECK(eventually([&] {
    take();
    return lines_in(text) == 400;
  }));
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
    CHECK(text.substr(at).starts_with("127.0.0.1 - - ["));
  run.end();
  ::close(reader);
}

TEST_CASE("a reader that leaves is an error of the log's, not the server's end") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  nen::listen_options options;
  options.access_log.descriptor = ends[1];
  static std::string said;
  options.on_log = [](const nen::log_event& e) { said = e.sentence; };
  {
    running run(server, options);
    ask(run, 1);
    ::dup2(STDIN_FILENO, ends[0]);  // closes it, and keeps the number of open descriptors
    ask(run, 5);
    CHECK(eventually([&] { return run.count(&shard_counters::log_write_errors) >= 1; }));
    ask(run, 5);
  }
  for (const int end : ends) ::close(end);
  CHECK(said == "the access log cannot be written: Broken pipe");
}

TEST_CASE("a log that can't be is said at the start") {
  const folder here;
  CHECK_THAT(refusal(server, logging_to(here / "no/such/folder")),
             StartsWith("cannot open the access log " + here.path) &&
                 EndsWith(": No such file or directory"));
  CHECK_THAT(refusal(server, logging_to(here.path)), EndsWith(": Is a directory"));
  CHECK(refusal(server, logging_to(std::string(2000, 'x'))) ==
        "cannot open the access log: its path is too long");
  nen::listen_options closed;
  closed.access_log.descriptor = 999;
  CHECK(refusal(server, closed) ==
        "cannot write the access log to descriptor 999: Bad file descriptor");
  CHECK(refusal(without, logging_to(here / "log")) ==
        "cannot write an access log: config::log_bytes is 0");
  CHECK(!std::filesystem::exists(here / "log"));
}

TEST_CASE("the log's memory is on the bill") {
  constexpr auto bill = decltype(two_shards)::memory();
  std::size_t bytes = 0;
  for (const auto& item : bill.items)
    if (item.name == "access log") bytes += item.bytes;
  CHECK(bytes == 2 * 16 * KiB);
  for (const auto& item : decltype(without)::memory().items) CHECK(item.name != "access log");
}
