// server, L3: the threads of a server: runs one shard a thread, stops them, and turns signals into
// stops. Knows nothing of what a shard does.
#pragma once

#include <nen/config.hpp>
#include <nen/core/result.hpp>
#include <nen/net/address.hpp>
#include <nen/net/socket.hpp>
#include <nen/server/service_observer.hpp>
#include <nen/server/shard_listeners.hpp>

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

/// Runs the shards of one server. All of it is zero while none runs.
class shard_threads {
 public:
  /// What a shard's thread does, given by the server.
  /// open and run are called on the shard's own thread; between them it is counted as ready.
  struct program {
    result<void> (*open)(shard_threads&, const shard_thread&) noexcept;
    void (*run)(shard_threads&, const shard_thread&);
    std::uint32_t places;         // direct descriptors of one shard
    std::uint64_t wake_to_abort;  // what to count a waker up by to close everything at once
    /// Opens the access log anew; null where there is none.
    void (*reopen_log)(shard_threads&) noexcept;
    shard_pulses pulses;  // for the watchdog
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
  /// backlog that nobody takes it from; but for inherited listeners, which others will accept from.
  void stop() const noexcept {
    tell_of_stop();
    if (!delays_drain_) listeners_.refuse_more(threads_);
    wake(1);
  }
  /// Closes everything at once.
  void abort() const noexcept {
    tell_of_stop();
    wake(program_->wake_to_abort);
  }

  const endpoint& address() const noexcept { return listeners_.address(); }
  /// @pre  called by program::open
  const listen_options& options() const noexcept { return *options_; }

 private:
  result<void> prepare(const program& what, const listen_options& options,
                       std::span<shard_thread> threads) noexcept;
  result<void> launch() noexcept;
  result<void> announce(const listen_options& options) noexcept {
    result<void> told;
    if (observer_ != nullptr)
      told = observer_->call->ready(*observer_, address(), program_->pulses, threads_);
    if (told && options.on_listening != nullptr) options.on_listening(address().to_string().view());
    return told;
  }
  void tell_of_stop() const noexcept {
    if (observer_ != nullptr) observer_->call->stopping(*observer_);
  }
  void wait_for_end() noexcept;
  static void* thread_main(void* argument);
  result<void> open_wakers() noexcept;
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
  shard_listeners listeners_;
  service_observer* observer_;  // or null
  int control_;                 // eventfd: signals count 1, ended shards `ended`
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
  auto outcome = prepare(what, options, threads);
  if (outcome) outcome = launch();
  if (outcome) {
    outcome = announce(options);
    if (!outcome) abort();
  }
  if (!outcome) join();
  return outcome;
}

/// From here on a join is owed.
[[gnu::cold]] inline result<void> shard_threads::prepare(const program& what,
                                                         const listen_options& options,
                                                         std::span<shard_thread> threads) noexcept {
  NEN_ASSERT(threads_.empty());  // one run at a time
  program_ = &what;
  options_ = &options;
  threads_ = threads;
  started_ = reported_ = 0;
  failed_ = false;
  delays_drain_ = to_milliseconds(options.drain_delay) != 0;
  pthread_mutex_init(&mutex_, nullptr);
  pthread_cond_init(&changed_, nullptr);
  for (std::uint32_t i = 0; i < threads.size(); ++i) {
    threads[i] = {};
    threads[i].owner = this;
    threads[i].index = i;
    threads[i].listener = threads[i].waker = -1;
  }
  control_ = ::eventfd(0, EFD_CLOEXEC);
  observer_ = options.systemd_notify;
  if (control_ >= 0) return {};
  return make_error(errno, "cannot make an eventfd: %s", std::strerror(errno));
}

/// @returns  when all accept connections, or when one could not
[[gnu::cold]] inline result<void> shard_threads::launch() noexcept {
  result<void> outcome;
  if (observer_ != nullptr) outcome = observer_->call->open(*observer_);
  if (outcome) outcome = raise_descriptor_limit(program_->places);
  if (outcome) outcome = open_wakers();
  if (outcome) outcome = listeners_.open(*options_, threads_);
  if (outcome) outcome = start_threads();
  return outcome;
}

[[gnu::cold]] inline result<void> shard_threads::open_wakers() noexcept {
  for (shard_thread& t : threads_) {
    t.waker = ::eventfd(0, EFD_CLOEXEC);
    if (t.waker < 0) return make_error(errno, "cannot make an eventfd: %s", std::strerror(errno));
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
  std::atomic_ref<bool>(self.has_ended).store(true, std::memory_order_release);
  const std::uint64_t amount = ended;
  (void)!::write(owner.control_, &amount, sizeof amount);
  return nullptr;
}

[[gnu::cold]] inline void shard_threads::join() noexcept {
  for (std::uint32_t i = 0; i < started_; ++i) pthread_join(threads_[i].thread, nullptr);
  if (observer_ != nullptr) observer_->call->close(*observer_);
  observer_ = nullptr;
  close_descriptors();
}

[[gnu::cold]] inline void shard_threads::close_descriptors() noexcept {
  listeners_.close(threads_);
  for (const shard_thread& t : threads_)
    if (t.waker >= 0) ::close(t.waker);
  if (control_ >= 0) ::close(control_);
  pthread_cond_destroy(&changed_);
  pthread_mutex_destroy(&mutex_);
  threads_ = {};
}

[[gnu::cold]] inline result<void> shard_threads::run(const program& what,
                                                     const listen_options& options,
                                                     std::span<shard_thread> threads) noexcept {
  auto outcome = prepare(what, options, threads);
  if (outcome) {
    // Before anybody is accepted: who stops the program in between is not to cut him off.
    const bool has_log_path = what.reopen_log != nullptr && !options.access_log.path.empty();
    const signal_catcher catcher(control_, has_log_path);
    outcome = launch();
    if (outcome) {
      outcome = announce(options);
      if (!outcome) abort();
      wait_for_end();
    }
  }
  join();
  return outcome;
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
