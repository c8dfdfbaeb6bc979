// server, L3: what each shard of a server accepts from: listeners of its own, or such as were there
// before the server and stay behind it.
#pragma once

#include <nen/config.hpp>
#include <nen/core/result.hpp>
#include <nen/net/address.hpp>
#include <nen/net/socket.hpp>

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace nen::detail {

/// One shard's thread and what it was given.
struct shard_thread {
  class shard_threads* owner;
  std::uint32_t index;
  pthread_t thread;
  int listener;         // descriptor; that of another shard's if they share it
  int waker;            // eventfd
  error problem;        // valid when failed
  bool failed;          // …
  bool is_local;        // its listener is a Unix socket
  bool owns_listener;   // it is closed with the server, and no other shard has it
  bool has_ended;       // atomic: its loop goes round no more
  bool was_asked;       // by the watchdog: its pulse was …
  std::uint64_t pulse;  // … this when it was asked
};

/// How to find out whether a shard's loop goes round: it is asked by being woken, and whoever goes
/// round has another pulse soon.
struct shard_pulses {
  std::uint64_t (*pulse)(const shard_thread&) noexcept;
  std::uint64_t wake_to_ask;
};

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

/// The listeners of one run. Zero: none.
class shard_listeners {
 public:
  /// Gives every shard its listener.
  [[nodiscard]] result<void> open(const listen_options& options,
                                  std::span<shard_thread> threads) noexcept {
    address_ = {};
    are_inherited_ = inherits_listeners(options);
    if (auto kept = check(options.tcp_keepalive); !kept) return kept;
    return are_inherited_ ? inherit(options, threads) : make(options, threads);
  }

  /// Has connections that come from now on refused, not left in a backlog that nobody takes them
  /// from. Inherited listeners are somebody else's as well, who will. Also from a signal handler.
  void refuse_more(std::span<const shard_thread> threads) const noexcept {
    for (const shard_thread& t : threads)
      if (t.owns_listener) (void)::shutdown(t.listener, SHUT_RDWR);
  }

  [[gnu::cold]] void close(std::span<const shard_thread> threads) noexcept {
    for (const shard_thread& t : threads)
      if (t.owns_listener) ::close(t.listener);
    if (!are_inherited_ && address_.is_unix() && !address_.is_abstract())
      ::unlink(reinterpret_cast<const sockaddr_un*>(address_.data())->sun_path);
  }

  /// The first shard's.
  const endpoint& address() const noexcept { return address_; }

 private:
  [[gnu::cold]] result<void> make(const listen_options& options,
                                  std::span<shard_thread> threads) noexcept;
  [[gnu::cold]] result<void> inherit(const listen_options& options,
                                     std::span<shard_thread> threads) noexcept;
  [[gnu::cold]] result<void> share_out(std::span<const int> descriptors,
                                       const listen_options& options,
                                       std::span<shard_thread> threads) noexcept;

  endpoint address_;
  bool are_inherited_;
};

inline result<void> shard_listeners::make(const listen_options& options,
                                          std::span<shard_thread> threads) noexcept {
  auto where = options.unix_path.empty() ? endpoint::parse(options.host, options.port)
                                         : endpoint::unix_path(options.unix_path);
  if (!where) return where.error();
  const socket_options wanted{
      .backlog = options.backlog,
      .tcp_nodelay = options.tcp_nodelay,
      .reuse_port = options.reuse_port && !where->is_unix() && threads.size() > 1,
      .keepalive_idle = static_cast<int>(options.tcp_keepalive.idle.count()),
      .keepalive_interval = static_cast<int>(options.tcp_keepalive.interval.count()),
      .keepalive_count = options.tcp_keepalive.count};
  if (wanted.reuse_port) {
    // Sockets that share a port share it with other programs' as well, and nobody is told. So the
    // port is taken alone first.
    const auto alone = listen_on(*where, {.reuse_port = false});
    if (!alone) return alone.error();
  }
  for (shard_thread& t : threads) {
    t.is_local = where->is_unix();
    // A Unix socket, or a port that may not be shared, has one listener for all shards.
    if (t.index != 0 && !wanted.reuse_port) {
      t.listener = threads[0].listener;
      continue;
    }
    auto listener = listen_on(*where, wanted);
    if (!listener) return listener.error();
    const auto bound = local_endpoint(*listener);
    if (!bound) return bound.error();
    address_ = *bound;
    where = *bound;  // after port 0 the other shards listen on the port that the kernel chose
    t.listener = listener->release();
    t.owns_listener = true;
  }
  return {};
}

inline result<void> shard_listeners::inherit(const listen_options& options,
                                             std::span<shard_thread> threads) noexcept {
  if (options.socket_activation == nullptr) return share_out(options.listeners, options, threads);
  if (!options.listeners.empty())
    return make_error(EINVAL,
                      "listen_options has both listeners and socket_activation: which ones?");
  const auto given = options.socket_activation(options.socket_name);
  if (!given) return given.error();
  return share_out(*given, options, threads);
}

/// Every listener has to have somebody who accepts from it, so that none can be more.
inline result<void> shard_listeners::share_out(std::span<const int> descriptors,
                                               const listen_options& options,
                                               std::span<shard_thread> threads) noexcept {
  if (descriptors.size() > threads.size())
    return make_error(EINVAL,
                      "%zu inherited listeners need as many shards, and config::shards is %zu; "
                      "name the one that is meant by socket_name, or have more shards",
                      descriptors.size(), threads.size());
  for (shard_thread& t : threads) {
    const int descriptor = descriptors[t.index % descriptors.size()];
    if (auto checked = check_listener(descriptor); !checked) return checked;
    sockaddr_storage name = {};
    socklen_t size = sizeof name;
    if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&name), &size) != 0)
      return make_error(errno, "cannot read the address of descriptor %d: %s", descriptor,
                        std::strerror(errno));
    const auto where = endpoint::from_native(reinterpret_cast<const sockaddr*>(&name), size);
    if (!where) return where.error();
    if (t.index == 0) address_ = *where;
    t.listener = descriptor;
    t.is_local = where->is_unix();
    if (t.is_local) continue;
    const auto set = [&](int level, int what, int value) {
      (void)::setsockopt(descriptor, level, what, &value, sizeof value);
    };
    const tcp_keepalive& alive = options.tcp_keepalive;
    if (options.tcp_nodelay) set(IPPROTO_TCP, TCP_NODELAY, 1);
    if (alive.idle.count() == 0) continue;
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(alive.idle.count()));
    set(IPPROTO_TCP, TCP_KEEPINTVL, static_cast<int>(alive.interval.count()));
    set(IPPROTO_TCP, TCP_KEEPCNT, alive.count);
  }
  return {};
}

}  // namespace nen::detail
