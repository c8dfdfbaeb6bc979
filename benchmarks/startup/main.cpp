// How long a big server takes until it listens: 100,000 connection slots in 8 shards. The program
// runs itself several times and reports the best and the median; with a limit it is a test.
//
//   startup [--runs N] [--limit-ms N]
#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <nen/nen.hpp>
#include <optional>
#include <string_view>

namespace {

nen::reply hello(nen::response& res) { return res.text("Hello, World!"); }

using routes = nen::router<nen::get<"/", hello>>;

// A shard's direct descriptors are capped by RLIMIT_NOFILE, so the slots are spread over shards.
constexpr nen::config sizes{.shards = 8, .connections = 12'500};
static_assert(sizes.shards * sizes.connections == 100'000);

using server = nen::server<routes, sizes>;

constexpr std::size_t runs_max = 1000;

/// Nanoseconds of a clock that every process on the machine shares.
std::int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// When one run reached what.
struct moments {
  std::int64_t executed = 0;  ///< the parent is about to execute the program
  std::int64_t in_main = 0;
  std::int64_t listening = 0;
};

moments run;  // of the child: on_listening is a plain function

/// The child: starts the server, writes down when, stops it. @returns the exit code
int serve_once(std::int64_t executed, std::int64_t in_main) {
  static server instance;
  run = {executed, in_main, 0};
  const auto started =
      instance.start({.host = "127.0.0.1", .port = 0, .on_listening = [](std::string_view) {
                        run.listening = now_ns();
                      }});
  if (!started) return started.exit_code();
  const bool told = ::write(STDOUT_FILENO, &run, sizeof run) == sizeof run;
  instance.stop();
  instance.join();
  return told ? 0 : 1;
}

/// Executes this program anew and reads what it measured.
std::optional<moments> measure() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
  const pid_t child = ::fork();
  if (child == 0) {
    char executed[24];
    ::dup2(ends[1], STDOUT_FILENO);
    std::snprintf(executed, sizeof executed, "%lld", static_cast<long long>(now_ns()));
    ::execl("/proc/self/exe", "startup", "--child", executed, nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  moments seen;
  const bool whole = ::read(ends[0], &seen, sizeof seen) == sizeof seen;
  ::close(ends[0]);
  int status = 0;
  const bool ended = child > 0 && ::waitpid(child, &status, 0) == child;
  if (!whole || !ended || !WIFEXITED(status) || WEXITSTATUS(status) != 0) return std::nullopt;
  return seen;
}

struct summary {
  double best = 0;
  double median = 0;
};

/// In milliseconds.
summary summarise(std::int64_t* begin, std::size_t count) {
  std::sort(begin, begin + count);
  return {static_cast<double>(begin[0]) / 1e6, static_cast<double>(begin[count / 2]) / 1e6};
}

/// Reads the number behind an option; ends the program when it is not one from 1 to `most`.
std::size_t number(const char* text, std::size_t most) {
  const auto value = nen::parse_decimal<std::size_t>(text == nullptr ? "" : text);
  if (value && *value >= 1 && *value <= most) return *value;
  std::fprintf(stderr, "usage: startup [--runs 1…%zu] [--limit-ms N]\n", runs_max);
  std::exit(2);
}

}  // namespace

int main(int count, char** arguments) {
  const std::int64_t in_main = now_ns();
  std::size_t runs = 20;
  std::size_t limit_ms = 0;
  for (int i = 1; i < count; i += 2) {
    const std::string_view option = arguments[i];
    const char* const value = i + 1 < count ? arguments[i + 1] : nullptr;
    if (option == "--child" && value != nullptr) return serve_once(std::atoll(value), in_main);
    (option == "--limit-ms" ? limit_ms : runs) =
        number(option == "--limit-ms" || option == "--runs" ? value : nullptr, runs_max);
  }

  static std::array<std::int64_t, runs_max> whole, inside;
  for (std::size_t i = 0; i < runs; ++i) {
    const auto seen = measure();
    if (!seen) {
      std::fprintf(stderr, "startup: the server did not start\n");
      return 1;
    }
    whole[i] = seen->listening - seen->executed;
    inside[i] = seen->listening - seen->in_main;
  }
  const summary since_exec = summarise(whole.data(), runs);
  const summary since_main = summarise(inside.data(), runs);
  std::printf("%u connection slots in %u shards, %zu MiB, %zu runs\n",
              sizes.shards * sizes.connections, sizes.shards, sizeof(server) / nen::MiB, runs);
  std::printf("main to listening: best %.2f ms, median %.2f ms\n", since_main.best,
              since_main.median);
  std::printf("exec to listening: best %.2f ms, median %.2f ms\n", since_exec.best,
              since_exec.median);
  if (limit_ms != 0 && since_main.best > static_cast<double>(limit_ms)) {
    std::printf("that is above the limit of %zu ms\n", limit_ms);
    return 1;
  }
  return 0;
}
