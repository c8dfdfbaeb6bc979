// Runs a server inside a test, or a piece of code in a child process, and says what is left behind.
#pragma once

#include <nen/nen.hpp>

#include <dirent.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "support/catch.hpp"
#include "support/client.hpp"

namespace nen::test {

using std::chrono::milliseconds;

/// Little of everything, so that a server of a test costs little memory.
inline constexpr config little = {.connections = 16,
                                  .receive_buffers = 8,
                                  .receive_buffer_bytes = 512,
                                  .send_slots = 16,
                                  .send_slot_bytes = 1024,
                                  .response_bytes_max = 2048,
                                  .head_slots = 4,
                                  .head_bytes_max = 1024,
                                  .target_bytes_max = 256,
                                  .body_slots = 4,
                                  .body_bytes_max = 2048};

/// How many descriptors this process has open.
inline int open_descriptors() {
  int count = 0;
  DIR* const all = ::opendir("/proc/self/fd");
  while (::readdir(all) != nullptr) ++count;
  ::closedir(all);
  return count;
}

/// Measures from its construction.
class stopwatch {
 public:
  long milliseconds() const {
    const auto passed = std::chrono::steady_clock::now() - begin_;
    return std::chrono::duration_cast<std::chrono::milliseconds>(passed).count();
  }
  /// True when about this long has passed: no less (a clock tick aside), and not twice as long.
  bool shows(long wanted) const {
    const long passed = milliseconds();
    UNSCOPED_INFO("after " << passed << " ms; wanted: " << wanted);
    return passed >= wanted - 3 && passed < wanted * 5 / 3;
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

/// Waits for something that no read can wait for, such as a counter.
template <class Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 10'000; ++i) {
    if (condition()) return true;
    ::usleep(1000);
  }
  return condition();
}

/// A started server, on a port of the kernel's choice unless it is told otherwise. At its end it
/// stops, and every pool has to be full again and no descriptor left (the shard asserts the rest).
template <class Server>
class running {
 public:
  explicit running(Server& server, listen_options options = {}, std::uint32_t shards = 1)
      : server_(server), shards_(shards), descriptors_(open_descriptors()) {
    if (options.host == "0.0.0.0") options.host = "127.0.0.1";
    if (options.port == 8080) options.port = 0;
    for (std::uint32_t i = 0; i < shards_; ++i) before_.push_back(server.counters(i));
    const auto started = server.start(options);
    if (!started) throw std::runtime_error(std::string(started.error().message()));
  }
  ~running() {
    if (!ended_) end();
  }

  /// Stops, and checks what is left.
  void end() {
    server_.stop();
    wait();
  }
  /// The same for a server that is stopping already.
  void wait() {
    join();
    check();
  }
  void join() {
    ended_ = true;
    server_.join();
  }
  void check() const {
    CHECK(open_descriptors() == descriptors_);
    for (std::uint32_t i = 0; i < shards_; ++i) {
      auto& session = const_cast<typename Server::shard&>(server_.shard_at(i)).session();
      if constexpr (requires { session.head_slots(); }) {
        CHECK(session.head_slots().in_use() == 0);
        CHECK(session.body_slots().in_use() == 0);
      }
      if constexpr (requires { session.objects_alive(); }) CHECK(session.objects_alive() == 0);
      CHECK(count(&shard_counters::connections_accepted, i) ==
            count(&shard_counters::connections_closed, i));
      CHECK(count(&shard_counters::stale_completions, i) == 0);
    }
  }

  std::uint16_t port() const { return server_.port(); }
  client connect(int receive_buffer = 0) const { return client(port(), receive_buffer); }

  /// What was counted since the start, by one shard.
  std::uint64_t count(counter shard_counters::*what, std::uint32_t shard = 0) const {
    return (server_.counters(shard).*what).value() - (before_[shard].*what).value();
  }
  /// Waits until it was counted this often.
  bool counts(counter shard_counters::*what, std::uint64_t wanted) const {
    const bool reached = eventually([&] { return count(what) >= wanted; });
    UNSCOPED_INFO("counted " << count(what) << "; wanted: " << wanted);
    return reached && count(what) == wanted;
  }
  /// Waits until nobody is connected.
  bool is_empty() const {
    return eventually([&] {
      return count(&shard_counters::connections_accepted) ==
             count(&shard_counters::connections_closed);
    });
  }

 private:
  Server& server_;
  std::uint32_t shards_;
  int descriptors_;
  bool ended_ = false;
  std::vector<shard_counters> before_;
};

/// A child process. It is killed after half a minute, and by its destruction.
class child {
 public:
  /// @param function  run in the child; what it returns is the exit code
  template <class F>
  explicit child(F function) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("pipe");
    std::fflush(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], STDERR_FILENO);
      ::close(ends[0]);
      const rlimit no_core = {0, 0};
      ::setrlimit(RLIMIT_CORE, &no_core);
      for (const int caught : {SIGABRT, SIGSEGV, SIGTERM, SIGINT}) std::signal(caught, SIG_DFL);
      ::alarm(30);
      ::_exit(function());
    }
    ::close(ends[1]);
    errors_ = ends[0];
  }
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child() {
    ::close(errors_);
    if (ended_) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  void signal(int number) const { ::kill(pid_, number); }

  /// Reads one line of what the child writes to stderr.
  std::string read_line() {
    std::string line;
    for (char c = 0; ::read(errors_, &c, 1) == 1 && c != '\n';) line += c;
    return line;
  }

  /// Waits for the end. @returns  the exit code, or minus the signal that killed it
  int wait() {
    char buffer[512];
    for (ssize_t got = 0; (got = ::read(errors_, buffer, sizeof buffer)) > 0;)
      output.append(buffer, static_cast<std::size_t>(got));
    int status = 0;
    ::waitpid(pid_, &status, 0);
    ended_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  std::string output;  ///< of stderr, known after wait()

 private:
  pid_t pid_ = -1;
  int errors_ = -1;
  bool ended_ = false;
};

}  // namespace nen::test
