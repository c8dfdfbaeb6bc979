// client, L3: a loop for programs that ask others and serve nobody: it runs one coroutine after the
// other, with the same frames, streams and clients that a server's handlers have.
#pragma once

#include <nen/config.hpp>
#include <nen/core/assert.hpp>
#include <nen/core/result.hpp>
#include <nen/io/context.hpp>
#include <nen/io/sleep.hpp>
#include <nen/io/task.hpp>
#include <nen/io/uring.hpp>
#include <nen/net/socket.hpp>
#include <nen/server/async_session.hpp>
#include <nen/server/tcp_shard.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <span>
#include <utility>

namespace nen {

namespace detail {

/// The session of clients' connections where there are none.
struct nobody {
  static constexpr std::uint32_t send_views = 0;
  static constexpr std::uint32_t outgoing = 0;
  static constexpr std::size_t websocket_bytes = 0;
  static constexpr std::size_t message_bytes = 0;
  struct connection_state {};
  struct state_references {};

  template <class Shard>
  void bind(Shard&) const noexcept {}
  void start(const listen_options&, state_references) const noexcept {}
  void set_context(nen::context* ctx) noexcept { context = ctx; }
  /// Nobody answers a request here.
  template <class Shard>
  static http_exchange& exchange_of(task_owner&) noexcept {
    NEN_ASSERT(false);
    __builtin_unreachable();
  }

  template <class Peer>
  void on_open(Peer&) const noexcept {}
  template <class Peer>
  std::size_t on_data(Peer&, std::span<char> bytes) const noexcept {
    return bytes.size();
  }
  template <class Peer>
  void on_end(Peer&) const noexcept {}
  template <class Peer, class Kind>
  void on_timeout(Peer&, Kind) const noexcept {}
  template <class Peer>
  void on_shed(Peer&) const noexcept {}
  template <class Peer>
  void on_room(Peer&) const noexcept {}
  template <class Peer>
  void on_drain(Peer&) const noexcept {}
  template <class Peer>
  void on_close(Peer&) const noexcept {}

  nen::context* context;
};

/// Runs one tree of tasks on a loop.
struct tree_runner : task_owner {
  bool has_ended = false;
  task_end how = task_end::returned;

  tree_runner() noexcept : task_owner{} { call = &calls; }

 private:
  static void resume(task_owner& self, std::coroutine_handle<> where) { self.run(where); }
  static void ended(task_owner& self, task_end how) noexcept {
    static_cast<tree_runner&>(self).has_ended = true;
    static_cast<tree_runner&>(self).how = how;
  }
  static constexpr functions calls = {resume, ended};
};

}  // namespace detail

/// A loop without a server. Its memory is in it, so it is made in static storage. One thread uses
/// it.
/// @code
///   nen::task<int> work(nen::context& ctx);
///   int main() {
///     static nen::client_loop<> loop;
///     return nen::exit_code(loop.run(work));
///   }
/// @endcode
template <config Config = config{}>
class client_loop {
  using shard = tcp_shard<async_session<detail::nobody, Config>, Config, uring>;

 public:
  client_loop() = default;
  client_loop(const client_loop&) = delete;
  client_loop& operator=(const client_loop&) = delete;
  ~client_loop() { close(); }

  /// Gets the ring ready; run does it too. @returns  why there is none, in a sentence
  [[nodiscard]] result<void> open(const client_options& options = {}) noexcept {
    if (is_open_) return {};
    if (auto enough = raise_descriptor_limit(shard::places); !enough) return enough;
    waker_ = ::eventfd(0, EFD_CLOEXEC);
    if (waker_ < 0) return make_error(errno, "cannot make an eventfd: %s", std::strerror(errno));
    const listen_options wanted{.clients = options};
    shard_.session().start(wanted, {});
    constexpr int no_listener = -1;
    if (auto opened = shard_.open(no_listener, waker_, wanted); !opened) {
      ::close(waker_);
      return opened;
    }
    shard_.start();
    is_open_ = true;
    return {};
  }

  /// Runs a coroutine until it returns. Connections that are kept stay for the next one.
  /// @param main  is called with a context& and gives a task<int>; may be a lambda, which lives
  ///              until the end. An exception that leaves the task leaves run
  /// @returns     what the coroutine does, or in a sentence why it could not be run to its end
  template <class Main>
  [[nodiscard]] result<int> run(Main&& main) {
    if (auto opened = open(); !opened) return opened.error();
    look_at_the_clock();
    const detail::frames_in_use its(shard_.session().frames());
    detail::tree_runner runner;
    task<int> root = std::forward<Main>(main)(ctx());
    root.start(runner);
    while (!runner.has_ended) shard_.turn();
    if (runner.how == detail::task_end::out_of_frames)
      return make_error(ENOMEM, "a coroutine got no frame: config::task_frames is too small");
    return root.take();
  }

  /// Closes every connection, and the ring.
  void close() noexcept {
    if (!is_open_) return;
    shard::ring::wake(waker_, shard::wake_to_abort);
    while (!shard_.is_over()) shard_.turn();
    shard_.finish();
    ::close(waker_);
    is_open_ = false;
  }

  /// @pre  open
  [[nodiscard]] context& ctx() noexcept { return *shard_.session().inner().context; }
  /// The pools, for looking inside.
  [[nodiscard]] const shard& inside() const noexcept { return shard_; }

 private:
  /// The loop's clock stands still between two runs.
  void look_at_the_clock() {
    detail::alarm now{};
    now.fire = [](detail::alarm&) {};
    shard_.timers().arm(now, shard_.now());
    shard_.turn();
  }

  shard shard_;
  int waker_;
  bool is_open_;
};

/// For main: what the coroutine returned; or says the sentence on stderr and gives 1.
inline int exit_code(const result<int>& outcome) noexcept {
  if (outcome) return *outcome;
  const auto sentence = outcome.error().message();
  std::fprintf(stderr, "nen: %.*s\n", static_cast<int>(sentence.size()), sentence.data());
  return 1;
}

}  // namespace nen
