// A load generator: HTTP/1.1, WebSocket and raw echoes and broadcasts from io_uring, in closed or
// in open loop. It checks every answer, and its exit code is 1 when any was wrong. `load --help`
// lists its options.
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <thread>
#include <vector>

#include "report.hpp"

namespace {

void raise_descriptor_limit(unsigned needed) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) load::fail("getrlimit", errno);
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) load::fail("setrlimit", errno);
  if (limit.rlim_cur < needed + 64U) {
    std::fprintf(stderr, "load: %u connections need more open files than ulimit -n allows (%llu)\n",
                 needed, static_cast<unsigned long long>(limit.rlim_cur));
    std::exit(2);
  }
}

std::uint64_t answers_of(const std::vector<load::worker*>& workers) {
  std::uint64_t sum = 0;
  for (const auto* w : workers) sum += w->answers();
  return sum;
}

/// A line that is written over each second, on terminals alone.
void show_progress(const std::vector<load::worker*>& workers, const std::atomic<bool>& is_over) {
  const bool is_terminal = ::isatty(STDERR_FILENO) == 1;
  std::uint64_t before = 0;
  for (unsigned tenths = 1; is_terminal && !is_over.load(std::memory_order_acquire); ++tenths) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (tenths % 10 != 0) continue;
    const std::uint64_t answers = answers_of(workers);
    std::fprintf(stderr, "\r\033[K%u s: %llu answers a second", tenths / 10,
                 static_cast<unsigned long long>(answers - before));
    before = answers;
  }
  if (is_terminal) std::fprintf(stderr, "\r\033[K");
}

}  // namespace

int main(int argc, char** argv) {
  load::plan plan(load::read_options(argc, argv));
  const load::options& o = plan.chosen;
  raise_descriptor_limit(o.connections);

  // A worker's ring belongs to the thread that made it, so each thread makes its worker.
  std::vector<load::worker*> workers(o.threads);
  std::barrier made(static_cast<std::ptrdiff_t>(o.threads) + 1);
  std::barrier connected(static_cast<std::ptrdiff_t>(o.threads),
                         [&plan]() noexcept { plan.start(); });
  load::sample before;
  load::sample after;
  const auto take = [&] {
    return load::sample{load::now(), answers_of(workers), load::cpu_time_of(o.server_pids)};
  };
  load::findings found;
  std::mutex adding;
  std::atomic<bool> is_over{false};
  std::atomic<unsigned> running{o.threads};
  std::barrier done(static_cast<std::ptrdiff_t>(o.threads) + 1);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < o.threads; ++i) {
    threads.emplace_back([&, i] {
      load::worker self(plan, i);
      workers[i] = &self;
      made.arrive_and_wait();
      self.run([&] { connected.arrive_and_wait(); },
               [&] {
                 if (i == 0) before = take();
               },
               [&] {
                 if (i == 0) after = take();
               });
      {
        const std::lock_guard lock(adding);
        found.add(self.found());
      }
      if (--running == 0) is_over.store(true, std::memory_order_release);
      done.arrive_and_wait();  // the others may still be counting this one's answers
    });
  }
  made.arrive_and_wait();
  show_progress(workers, is_over);
  done.arrive_and_wait();
  for (auto& thread : threads) thread.join();

  const load::report result{plan, found, before, after};
  o.is_json ? result.print_json() : result.print_table();
  return found.wrong.total() == 0 && found.answers != 0 ? 0 : 1;
}
