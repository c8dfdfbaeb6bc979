// server, L3: tells systemd how a server is: ready, stopping, and well as long as every shard's
// loop goes round. Applications that want that include it.
#pragma once

#include <nen/core/result.hpp>
#include <nen/net/address.hpp>
#include <nen/net/systemd.hpp>
#include <nen/server/service_observer.hpp>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <span>

namespace nen::systemd {

/// For listen_options::systemd_notify: tells systemd of one server at a time, which it outlives.
/// Nobody is told anything where NOTIFY_SOCKET is not set. The watchdog is fed from READY=1 to the
/// server's end, by a thread of its own.
class notifier : public service_observer {
 public:
  constexpr notifier() noexcept : service_observer{&calls} {}
  notifier(const notifier&) = delete;
  notifier& operator=(const notifier&) = delete;

 private:
  using shard_thread = nen::detail::shard_thread;
  using shard_pulses = nen::detail::shard_pulses;

  /// Finds out whom to tell.
  [[gnu::cold]] static result<void> open(service_observer& base) noexcept {
    auto& self = static_cast<notifier&>(base);
    NEN_ASSERT(!self.manager_.is_open());  // it tells of one server at a time
    self.interval_us_ = 0;
    const auto interval = watchdog_microseconds();
    if (!interval) return interval.error();
    const auto opened = self.manager_.open();
    if (!opened) return opened.error();
    if (*opened) self.interval_us_ = *interval;
    return {};
  }

  [[gnu::cold]] static result<void> ready(service_observer& base, const endpoint& address,
                                          const shard_pulses& asks,
                                          std::span<shard_thread> shards) noexcept {
    auto& self = static_cast<notifier&>(base);
    if (!self.manager_.is_open()) return {};
    char state[256];
    const auto where = address.to_string();
    int size = std::snprintf(state, sizeof state, "READY=1\nSTATUS=Listening on %s", where.c_str());
    // A path may hold anything, but a line's end would begin another assignment.
    for (int i = 8; i < size; ++i)
      if (static_cast<unsigned char>(state[i]) < ' ' || state[i] == 0x7f) state[i] = '?';
    if (const int problem = self.manager_.send({state, static_cast<std::size_t>(size)}))
      return make_error(problem, "cannot send to NOTIFY_SOCKET: %s", std::strerror(problem));
    return self.interval_us_ == 0 ? result<void>{} : self.start_watchdog(asks, shards);
  }

  static void stopping(const service_observer& base) noexcept {
    const auto& self = static_cast<const notifier&>(base);
    if (self.manager_.is_open())
      (void)self.manager_.send("STOPPING=1\nSTATUS=Finishing what is in hand");
  }

  [[gnu::cold]] static void close(service_observer& base) noexcept {
    auto& self = static_cast<notifier&>(base);
    if (self.watches_) {
      const std::uint64_t one = 1;
      (void)!::write(self.end_, &one, sizeof one);
      pthread_join(self.watchdog_, nullptr);
      ::close(self.end_);
      self.watches_ = false;
    }
    self.manager_.close();
  }

  [[gnu::cold]] result<void> start_watchdog(const shard_pulses& asks,
                                            std::span<shard_thread> shards) noexcept {
    asks_ = asks;
    shards_ = shards;
    end_ = ::eventfd(0, EFD_CLOEXEC);
    if (end_ < 0) return make_error(errno, "cannot make an eventfd: %s", std::strerror(errno));
    sigset_t all, before;  // signals are for the program's own threads
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int problem = pthread_create(&watchdog_, nullptr, run_watchdog, this);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    watches_ = problem == 0;
    if (watches_) return {};
    ::close(end_);
    return make_error(problem, "cannot start a thread: %s", std::strerror(problem));
  }

  [[gnu::cold]] static void* run_watchdog(void* argument) {
    auto& self = *static_cast<notifier*>(argument);
    pthread_setname_np(pthread_self(), "nen-watchdog");
    // Half the interval is asked for. Asking twice as often leaves a loop that is slow for a moment
    // most of the interval until it is given up.
    const std::uint64_t often = self.interval_us_ / 4000;
    const int step_ms = often < 1 ? 1 : often > 60'000 ? 60'000 : static_cast<int>(often);
    pollfd end = {self.end_, POLLIN, 0};
    while (::poll(&end, 1, step_ms) <= 0)
      if (self.everybody_is_well()) (void)self.manager_.send("WATCHDOG=1");
    return nullptr;
  }

  /// True when all who were asked have gone round since; they are asked anew. An idle shard is
  /// woken by that and answers; one whose handler does not return stays silent. Who has ended, as
  /// shards do one after the other when the server stops, is not asked.
  [[gnu::cold]] bool everybody_is_well() noexcept {
    bool all = true;
    for (shard_thread& t : shards_) {
      if (std::atomic_ref<bool>(t.has_ended).load(std::memory_order_acquire)) continue;
      const std::uint64_t now = asks_.pulse(t);
      if (t.was_asked && now == t.pulse) {
        all = false;
        continue;
      }
      t.pulse = now;
      t.was_asked = true;
      (void)!::write(t.waker, &asks_.wake_to_ask, sizeof asks_.wake_to_ask);
    }
    return all;
  }

  static constexpr functions calls = {open, ready, stopping, close};

  detail::notify_socket manager_{};
  std::uint64_t interval_us_ = 0;  // of the watchdog; 0: there is none
  shard_pulses asks_{};
  std::span<shard_thread> shards_;
  pthread_t watchdog_{};
  int end_ = -1;          // eventfd: ends the watchdog
  bool watches_ = false;  // the watchdog's thread runs
};

}  // namespace nen::systemd
