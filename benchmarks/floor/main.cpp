// The physical limit to quote a server against: an io_uring server that answers canned bytes
// (shard.hpp). All its requests have bodies of the same length, and so have its answers. At the end
// it prints its own CPU time per answer.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <latch>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "shard.hpp"

namespace nen::floor {
namespace {

struct options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;
  unsigned shards = 1;
  std::size_t answer_body_bytes = 0;  // 0: it says hello
  floor::work work;
};

template <class UInt>
bool parse(std::string_view text, UInt& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

bool parse(int argc, char** argv, options& chosen) {
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--echo") {
      chosen.work.echoes = true;
      --i;
      continue;
    }
    if (i + 1 == argc) return false;
    const std::string_view value = argv[i + 1];
    if (name == "--host") {
      chosen.host = value;
    } else if (name == "--port") {
      if (!parse(value, chosen.port) || chosen.port == 0) return false;
    } else if (name == "--shards") {
      if (!parse(value, chosen.shards) || chosen.shards == 0 || chosen.shards > 256) return false;
    } else if (name == "--request-body") {
      if (!parse(value, chosen.work.body_bytes)) return false;
    } else if (name == "--answer-body") {
      if (!parse(value, chosen.answer_body_bytes) || chosen.answer_body_bytes > (1U << 30))
        return false;
    } else if (name == "--receive-bytes") {
      if (!parse(value, chosen.work.buffer_bytes) || chosen.work.buffer_bytes == 0 ||
          chosen.work.buffer_bytes > (1U << 24))
        return false;
      // Long ones are few, so that they stay in the cache.
      if (chosen.work.buffer_bytes > 4096) chosen.work.buffer_count = 128;
    } else if (name == "--answers-per-connection") {
      if (!parse(value, chosen.work.answers_per_connection)) return false;
    } else {
      return false;
    }
  }
  return true;
}

/// Accepted sockets inherit TCP_NODELAY, so that no connection costs a setsockopt.
int listen_on(const options& chosen) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(chosen.port);
  if (inet_pton(AF_INET, chosen.host.c_str(), &address.sin_addr) != 1) {
    fail("--host must be an IPv4 address", EINVAL);
  }
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket", errno);
  const int on = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) {
    fail("setsockopt", errno);
  }
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail("bind", errno);
  }
  if (listen(fd, 4096) != 0) fail("listen", errno);
  return fd;
}

double microseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
}

rusage usage() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return used;
}

/// @param before  what had been used when the server was ready, so that start-up is not counted
void print_cost(std::uint64_t answered, const rusage& before) {
  const rusage now = usage();
  const double each = answered == 0 ? 0.0 : 1.0 / static_cast<double>(answered);
  const double user = microseconds(now.ru_utime) - microseconds(before.ru_utime);
  const double system = microseconds(now.ru_stime) - microseconds(before.ru_stime);
  std::fprintf(stderr, "%llu answers, %.3f us of CPU time each, %.3f us of it in user space\n",
               static_cast<unsigned long long>(answered), (user + system) * each, user * each);
}

/// The kernel caps the direct-descriptor table by the soft limit of open files.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) fail("getrlimit", errno);
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) fail("setrlimit", errno);
}

}  // namespace
}  // namespace nen::floor

int main(int argc, char** argv) {
  using namespace nen::floor;
  options chosen;
  if (!parse(argc, argv, chosen)) {
    std::fprintf(stderr,
                 "usage: %s [--host IPv4] [--port 1-65535] [--shards 1-256] [--echo]\n"
                 "  [--request-body BYTES] [--answer-body BYTES] [--answers-per-connection N]\n"
                 "  [--receive-bytes N]\n",
                 argv[0]);
    return 2;
  }
  make_answers(chosen.work, chosen.answer_body_bytes);
  raise_descriptor_limit();
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // Before the threads, which inherit it.

  // Nobody reads the event, so one write stops every shard.
  const int stop = eventfd(0, EFD_CLOEXEC);
  if (stop < 0) fail("eventfd", errno);
  std::latch ready(static_cast<std::ptrdiff_t>(chosen.shards));
  std::vector<std::unique_ptr<shard>> shards;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < chosen.shards; ++i) {
    shard& added = *shards.emplace_back(std::make_unique_for_overwrite<shard>());
    threads.emplace_back(&shard::run, &added, listen_on(chosen), stop, std::cref(chosen.work),
                         std::ref(ready));
  }
  ready.wait();
  const rusage before = usage();
  std::printf("listening on %s:%u\n", chosen.host.c_str(), static_cast<unsigned>(chosen.port));
  std::fflush(stdout);

  int signal = 0;
  sigwait(&signals, &signal);
  if (eventfd_write(stop, 1) != 0) fail("eventfd_write", errno);
  for (std::thread& thread : threads) thread.join();
  std::uint64_t answered = 0;
  for (const auto& one : shards) answered += one->answered();
  print_cost(answered, before);
  return 0;
}
