// server, L3: the threads of a server: opens the listeners, runs one shard a thread, stops them,
// and turns signals into stops. Knows nothing of what a shard does.
#pragma once

#include <nen/config.hpp>
#include <nen/core/result.hpp>
#include <nen/net/address.hpp>
#include <nen/net/socket.hpp>

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <span>

namespace nen {

/// How a server's run ended.
class [[nodiscard]] run_result : public result<void> {
 public:
  run_result(const result<void>& outcome) noexcept : result<void>(outcome) {}

  /// For main: 0 after a stop; otherwise says the sentence on stderr and gives 1.
  int exit_code() const noexcept {
    if (has_value()) return 0;
    const auto sentence = error().message();
    std::fprintf(stderr, "nen: %.*s\n", static_cast<int>(sentence.size()), sentence.data());
    return 1;
  }
};

namespace detail {

/// What a SIGHUP counts; any other signal counts 1.
inline constexpr std::uint64_t hangup_count = std::uint64_t{1} << 16;

/// Where signals are counted: the event counters of every server that is in run().
inline std::array<std::atomic<int>, 16> signal_targets{};  // descriptor + 1; 0: free

inline void count_signal(int which) noexcept {
  const int saved = errno;
  for (const auto& target : signal_targets) {
    const int descriptor = target.load(std::memory_order_relaxed) - 1;
    const std::uint64_t amount = which == SIGHUP ? hangup_count : 1;
    if (descriptor >= 0) (void)!::write(descriptor, &amount, sizeof amount);
  }
  errno = saved;
}

/// SIGINT and SIGTERM, and SIGHUP if asked for, go to `counter` as long as this lives.
class signal_catcher {
 public:
  signal_catcher(int counter, bool hangups) noexcept : hangups_(hangups) {
    for (auto& target : signal_targets) {
      int free = 0;
      if (target.compare_exchange_strong(free, counter + 1)) {
        target_ = &target;
        break;
      }
    }
    NEN_ASSERT(target_ != nullptr);  // more servers in run() than signal_targets has places
    struct sigaction action {};
    action.sa_handler = count_signal;
    ::sigaction(SIGINT, &action, &before_[0]);
    ::sigaction(SIGTERM, &action, &before_[1]);
    if (hangups_) ::sigaction(SIGHUP, &action, &before_[2]);
  }
  ~signal_catcher() {
    ::sigaction(SIGINT, &before_[0], nullptr);
    ::sigaction(SIGTERM, &before_[1], nullptr);
    if (hangups_) ::sigaction(SIGHUP, &before_[2], nullptr);
    target_->store(0);
  }
  signal_catcher(const signal_catcher&) = delete;
  signal_catcher& operator=(const signal_catcher&) = delete;

 private:
  std::atomic<int>* target_ = nullptr;
  struct sigaction before_[3];
  bool hangups_;
};

/// One shard's thread and what it was given.
struct shard_thread {
  class shard_threads* owner;
  std::uint32_t index;
  pthread_t thread;
  int listener;   // descriptor; the first shard's if it is shared
  int waker;      // eventfd
  error problem;  // valid when failed
  bool failed;
};

/// Runs the shards of one server. All of it is zero while none runs.
class shard_threads {
 public:
  /// What a shard's thread does, given by the server.
  /// open and run are called on the shard's own thread; between them it is counted as ready.
  struct program {
    result<void> (*open)(shard_threads&, const shard_thread&) noexcept;
    void (*run)(shard_threads&, const shard_thread&);
    std::uint32_t places;         // direct descriptors of one shard
    std::uint64_t wake_to_abort;  // what to count a waker up by to close
                                  // everything at once
    /// Opens the access log anew; null where there is none.
    void (*reopen_log)(shard_threads&) noexcept;
  };

  /// Opens the listeners and starts a thread for each shard.
  /// @returns  when all accept connections, or when one could not
  [[nodiscard]] result<void> start(const program& what, const listen_options& options,
                                   std::span<shard_thread> threads) noexcept;

  /// Waits until every shard has ended.
  void join() noexcept;

  /// start, then join; SIGINT and SIGTERM stop, a second one aborts.
  result<void> run(const program& what, const listen_options& options,
                   std::span<shard_thread> threads) noexcept;

  /// Drains: may be called from any thread and from a signal handler, as often as wanted. From now
  /// on, or when listen_options::drain_delay has passed, a connection is refused, not left in a
  /// backlog that nobody takes it from.
  void stop() const noexcept {
    if (!delays_drain_) {
      for (const shard_thread& t : threads_)
        if (t.listener >= 0) (void)::shutdown(t.listener, SHUT_RDWR);
    }
    wake(1);
  }
  /// Closes everything at once.
  void abort() const noexcept { wake(program_->wake_to_abort); }

  const endpoint& address() const noexcept { return address_; }
  /// @pre  called by program::open
  const listen_options& options() const noexcept { return *options_; }

 private:
  result<void> launch(const program& what, const listen_options& options,
                      std::span<shard_thread> threads) noexcept;
  void announce(const listen_options& options) const noexcept {
    if (options.on_listening != nullptr) options.on_listening(address_.to_string().view());
  }
  void wait_for_end() noexcept;
  static void* thread_main(void* argument);
  result<void> open_listeners() noexcept;
  result<void> start_threads() noexcept;
  void close_descriptors() noexcept;
  void wake(std::uint64_t amount) const noexcept {
    for (const shard_thread& t : threads_)
      if (t.waker > 0) (void)!::write(t.waker, &amount, sizeof amount);
  }

  static constexpr std::uint64_t ended = std::uint64_t{1} << 32;  // what an ending shard counts

  const program* program_;
  const listen_options* options_;  // only while start() waits
  std::span<shard_thread> threads_;
  endpoint address_;
  int control_;  // eventfd: signals count 1, ended shards `ended`
  std::uint32_t started_;
  // Guarded by mutex_: how many threads have opened their shard, or failed to.
  pthread_mutex_t mutex_;
  pthread_cond_t changed_;
  std::uint32_t reported_;
  bool failed_;
  bool delays_drain_;  // the shards refuse connections when its time has come
};

[[gnu::cold]] inline result<void> shard_threads::start(const program& what,
                                                       const listen_options& options,
                                                       std::span<shard_thread> threads) noexcept {
  auto launched = launch(what, options, threads);
  if (launched) announce(options);
  return launched;
}

/// All of start but to say so.
[[gnu::cold]] inline result<void> shard_threads::launch(const program& what,
                                                        const listen_options& options,
                                                        std::span<shard_thread> threads) noexcept {
  NEN_ASSERT(threads_.empty());  // one run at a time
  program_ = &what;
  options_ = &options;
  threads_ = threads;
  address_ = {};
  started_ = reported_ = 0;
  failed_ = false;
  delays_drain_ = to_milliseconds(options.drain_delay) != 0;
  pthread_mutex_init(&mutex_, nullptr);
  pthread_cond_init(&changed_, nullptr);
  for (std::uint32_t i = 0; i < threads.size(); ++i) threads[i] = {this, i, {}, -1, -1, {}, false};
  control_ = ::eventfd(0, EFD_CLOEXEC);
  result<void> outcome;
  if (control_ < 0) outcome = make_error(errno, "cannot make an eventfd: %s", std::strerror(errno));
  if (outcome) outcome = raise_descriptor_limit(what.places);
  if (outcome) outcome = open_listeners();
  if (outcome) outcome = start_threads();
  if (!outcome) join();
  return outcome;
}

/// The kernel would say no more than that something is invalid.
[[gnu::cold]] inline result<void> check(const tcp_keepalive& asked) noexcept {
  constexpr std::chrono::seconds longest{32'767};
  const bool is_off = asked.idle.count() == 0;
  if (is_off || (asked.idle.count() > 0 && asked.idle <= longest && asked.interval.count() > 0 &&
                 asked.interval <= longest && asked.count >= 1 && asked.count <= 127))
    return {};
  return make_error(EINVAL,
                    "cannot use this tcp_keepalive: idle and interval have to be 1 to 32767 "
                    "seconds, and count 1 to 127");
}

[[gnu::cold]] inline result<void> shard_threads::open_listeners() noexcept {
  auto where = options_->unix_path.empty() ? endpoint::parse(options_->host, options_->port)
                                           : endpoint::unix_path(options_->unix_path);
  if (!where) return where.error();
  if (auto kept = check(options_->tcp_keepalive); !kept) return kept;
  const socket_options wanted{
      .backlog = options_->backlog,
      .tcp_nodelay = options_->tcp_nodelay,
      .reuse_port = options_->reuse_port && !where->is_unix() && threads_.size() > 1,
      .keepalive_idle = static_cast<int>(options_->tcp_keepalive.idle.count()),
      .keepalive_interval = static_cast<int>(options_->tcp_keepalive.interval.count()),
      .keepalive_count = options_->tcp_keepalive.count};
  if (wanted.reuse_port) {
    // Sockets that share a port share it with other programs' as well, and nobody is told. So the
    // port is taken alone first.
    const auto alone = listen_on(*where, {.reuse_port = false});
    if (!alone) return alone.error();
  }
  for (shard_thread& t : threads_) {
    t.waker = ::eventfd(0, EFD_CLOEXEC);
    if (t.waker < 0) return make_error(errno, "cannot make an eventfd: %s", std::strerror(errno));
    // A Unix socket, or a port that may not be shared, has one listener for all shards.
    if (t.index != 0 && !wanted.reuse_port) {
      t.listener = threads_[0].listener;
      continue;
    }
    auto listener = listen_on(*where, wanted);
    if (!listener) return listener.error();
    const auto bound = local_endpoint(*listener);
    if (!bound) return bound.error();
    address_ = *bound;
    where = *bound;  // after port 0 the other shards listen on the port that the
                     // kernel chose
    t.listener = listener->release();
  }
  return {};
}

[[gnu::cold]] inline result<void> shard_threads::start_threads() noexcept {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all,
                  &before);  // signals are for the program's own threads
  int problem = 0;
  for (shard_thread& t : threads_) {
    problem = pthread_create(&t.thread, nullptr, thread_main, &t);
    if (problem != 0) break;
    ++started_;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (problem != 0) {
    abort();
    return make_error(problem, "cannot start a thread: %s", std::strerror(problem));
  }
  pthread_mutex_lock(&mutex_);
  while (reported_ != threads_.size()) pthread_cond_wait(&changed_, &mutex_);
  const bool failed = failed_;
  pthread_mutex_unlock(&mutex_);
  if (!failed) return {};
  abort();
  for (const shard_thread& t : threads_)
    if (t.failed) return t.problem;
  return {};
}

[[gnu::cold]] inline void* shard_threads::thread_main(void* argument) {
  auto& self = *static_cast<shard_thread*>(argument);
  shard_threads& owner = *self.owner;
  char name[16];
  std::snprintf(name, sizeof name, "nen-shard-%u", self.index % 1000);
  pthread_setname_np(pthread_self(), name);
  const auto opened = owner.program_->open(owner, self);
  if (!opened) self.problem = opened.error();
  self.failed = !opened;
  pthread_mutex_lock(&owner.mutex_);
  ++owner.reported_;
  owner.failed_ |= self.failed;
  pthread_cond_signal(&owner.changed_);
  pthread_mutex_unlock(&owner.mutex_);
  if (opened) owner.program_->run(owner, self);
  const std::uint64_t amount = ended;
  (void)!::write(owner.control_, &amount, sizeof amount);
  return nullptr;
}

[[gnu::cold]] inline void shard_threads::join() noexcept {
  for (std::uint32_t i = 0; i < started_; ++i) pthread_join(threads_[i].thread, nullptr);
  close_descriptors();
}

[[gnu::cold]] inline void shard_threads::close_descriptors() noexcept {
  for (const shard_thread& t : threads_) {
    if (t.listener >= 0 && (t.index == 0 || t.listener != threads_[0].listener))
      ::close(t.listener);
    if (t.waker >= 0) ::close(t.waker);
  }
  if (address_.is_unix() && !address_.is_abstract()) {
    ::unlink(reinterpret_cast<const sockaddr_un*>(address_.data())->sun_path);
  }
  if (control_ >= 0) ::close(control_);
  pthread_cond_destroy(&changed_);
  pthread_mutex_destroy(&mutex_);
  threads_ = {};
}

[[gnu::cold]] inline result<void> shard_threads::run(const program& what,
                                                     const listen_options& options,
                                                     std::span<shard_thread> threads) noexcept {
  if (auto launched = launch(what, options, threads); !launched) return launched;
  {
    const bool has_log_path = what.reopen_log != nullptr && !options.access_log.path.empty();
    const signal_catcher catcher(control_, has_log_path);
    announce(options);
    wait_for_end();
  }
  join();
  return {};
}

/// Until every shard has ended: a signal stops, the next one aborts; hangups open the log anew.
[[gnu::cold]] inline void shard_threads::wait_for_end() noexcept {
  std::uint64_t shards_ended = 0;
  bool stopping = false;
  while (shards_ended != threads_.size()) {
    std::uint64_t count = 0;
    if (::read(control_, &count, sizeof count) != sizeof count) continue;
    shards_ended += count / ended;
    if (count % ended >= hangup_count) program_->reopen_log(*this);
    const auto signals = count % hangup_count;
    if (signals == 0) continue;
    if (stopping || signals > 1) {
      abort();
    } else {
      stop();
    }
    stopping = true;
  }
}

}  // namespace detail

}  // namespace nen
