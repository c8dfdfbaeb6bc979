// client, L3: names are asked for with c-ares, whose sockets live on the shard's loop and whose
// memory comes from a static pool. The one file that includes c-ares; link nen::dns.
#pragma once

#include <nen/client/resolver.hpp>
#include <nen/core/assert.hpp>
#include <nen/core/frame_pool.hpp>
#include <nen/core/intrusive_list.hpp>
#include <nen/io/context.hpp>
#include <nen/io/sleep.hpp>
#include <nen/io/task.hpp>

#include <ares.h>
#include <netdb.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace nen {

namespace detail {

/// c-ares' memory: it asks for a few sizes again and again, which a frame_pool has in classes.
inline constexpr std::array<frame_class, 6> ares_classes = {
    {{64, 512}, {256, 256}, {1024, 64}, {4096, 32}, {16384, 16}, {131072, 4}}};

/// One thread's. c-ares gets its memory through functions without a context.
struct ares_memory {
  frame_pool<ares_classes> pool;

  static ares_memory*& current() noexcept {
    static constinit thread_local ares_memory* memory = nullptr;
    return memory;
  }
  // The size stands in front, for realloc.
  static constexpr std::size_t header = frame_source::alignment;

  static void* allocate(std::size_t size) {
    NEN_ASSERT(current() != nullptr);  // c-ares is called by the thread whose channel it is
    void* const got = current()->pool.acquire(size + header);
    if (got == nullptr) return nullptr;  // c-ares says ARES_ENOMEM then
    std::memcpy(got, &size, sizeof size);
    return static_cast<std::byte*>(got) + header;
  }
  static void release(void* bytes) {
    if (bytes != nullptr) current()->pool.release(static_cast<std::byte*>(bytes) - header);
  }
  static void* reallocate(void* bytes, std::size_t size) {
    if (bytes == nullptr) return allocate(size);
    std::size_t before = 0;
    std::memcpy(&before, static_cast<std::byte*>(bytes) - header, sizeof before);
    void* const moved = allocate(size);
    if (moved == nullptr) return nullptr;
    std::memcpy(moved, bytes, std::min(before, size));
    release(bytes);
    return moved;
  }
};

struct ares_query_tag;

/// Somebody who waits for a name. c-ares is told of a number, because it may answer when nobody
/// waits any more.
class ares_query : public alarm, public list_hook<ares_query_tag> {
 public:
  ares_query(timer_wheel& wheel, std::uint32_t number, tick until, bool limited) noexcept
      : alarm{{}, [](alarm& self) { static_cast<ares_query&>(self).is_due(); }},
        list_hook<ares_query_tag>{},
        wheel_(wheel),
        until_(until),
        limited_(limited),
        number_(number) {}
  ares_query(const ares_query&) = delete;
  ares_query& operator=(const ares_query&) = delete;
  ~ares_query() {
    unlink();
    wheel_.cancel(*this);
  }

  std::uint32_t number() const noexcept { return number_; }
  resolve_outcome outcome = resolve_outcome::timed_out;
  resolved found;

  /// c-ares has answered: goes on in a later turn, because coroutines may be running now.
  void answered(resolve_outcome how, tick now) noexcept {
    unlink();
    outcome = how;
    done_ = true;
    wheel_.arm(*this, now);
  }
  bool await_ready() const noexcept { return done_; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    waiter_.wait_as(awaiting);
    if (limited_) wheel_.arm(*this, until_);
  }
  void await_resume() const noexcept {}

 private:
  void is_due() {
    unlink();
    waiter_.resume();
  }
  void unlink() noexcept {
    if (list_hook<ares_query_tag>::linked())
      intrusive_list<ares_query, ares_query_tag>::remove(*this);
  }

  timer_wheel& wheel_;
  tick until_;
  bool limited_;
  bool done_ = false;
  std::uint32_t number_;
  waiter waiter_{};
};

}  // namespace detail

namespace detail {

/// One thread's way to the name servers. All zero: not open.
class ares_line {
 public:
  [[nodiscard]] result<void> open(const char* servers, int timeout_ms, int tries) noexcept {
    const memory_scope mine(memory_);
    ares_options options{};
    options.timeout = timeout_ms;
    options.tries = tries;
    char lookups[] = "b";  // the name servers alone: nen knows /etc/hosts
    options.lookups = lookups;
    options.sock_state_cb = [](void* line, ares_socket_t descriptor, int reads, int writes) {
      static_cast<ares_line*>(line)->socket_changed(descriptor, reads != 0, writes != 0);
    };
    options.sock_state_cb_data = this;
    int status = ares_init_options(
        &channel_, &options,
        ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB);
    if (status == ARES_SUCCESS && servers != nullptr) {
      status = ares_set_servers_ports_csv(channel_, servers);
      if (status != ARES_SUCCESS) ares_destroy(channel_);
    }
    if (status != ARES_SUCCESS)
      return make_error(EINVAL, "cannot set up c-ares: %s", ares_strerror(status));
    is_open_ = true;
    return {};
  }
  void shut() noexcept {
    if (!is_open_) return;
    const memory_scope mine(memory_);
    is_open_ = false;
    ares_destroy(channel_);  // whoever waited is told ARES_EDESTRUCTION
  }

  /// Makes the calling thread's coroutines the ones that are served.
  void serve(context& ctx) noexcept { ctx_ = ctx; }

  void ask(ares_query& query, const char* name) noexcept {
    waiting_.push_back(query);
    const memory_scope mine(memory_);
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_flags = ARES_AI_NOSORT;  // sorting connects sockets; happy eyeballs find out better
    current() = this;
    ares_getaddrinfo(channel_, name, nullptr, &hints, &answered,
                     reinterpret_cast<void*>(std::uintptr_t{query.number()}));
  }
  std::uint32_t next_number() noexcept { return ++last_number_; }

 private:
  class memory_scope {
   public:
    explicit memory_scope(ares_memory& memory) noexcept { ares_memory::current() = &memory; }
    memory_scope(const memory_scope&) = delete;
    memory_scope& operator=(const memory_scope&) = delete;
    ~memory_scope() { ares_memory::current() = nullptr; }
  };

  /// A socket of c-ares that a coroutine waits for. A number that closed and opened again is
  /// another one.
  struct watched {
    int descriptor;
    std::uint32_t opening;  // 0: none
    bool writes;
  };

  /// Whose queries c-ares speaks of when it calls back.
  static ares_line*& current() noexcept {
    static constinit thread_local ares_line* line = nullptr;
    return line;
  }

  static void answered(void* number, int status, int, ares_addrinfo* found) {
    ares_line& self = *current();
    const auto wanted = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(number));
    ares_query* query = self.waiting_.front();
    while (query != nullptr && query->number() != wanted) query = self.waiting_.next(*query);
    if (query != nullptr) {
      for (auto* at = found != nullptr ? found->nodes : nullptr; at != nullptr; at = at->ai_next) {
        const auto address = endpoint::from_native(at->ai_addr, at->ai_addrlen);
        if (address.has_value() && !query->found.add(*address)) break;
      }
      query->answered(query->found.empty() ? outcome_of(status) : resolve_outcome::ok,
                      self.ctx_.now_ms());
    }
    if (found != nullptr) ares_freeaddrinfo(found);
  }
  static resolve_outcome outcome_of(int status) noexcept {
    switch (status) {
      case ARES_ETIMEOUT:
      case ARES_ECONNREFUSED:
        return resolve_outcome::timed_out;
      case ARES_ENOMEM:
      case ARES_EDESTRUCTION:
      case ARES_ECANCELLED:
        return resolve_outcome::overloaded;
      default:
        return resolve_outcome::unknown;
    }
  }

  void socket_changed(int descriptor, bool reads, bool writes) noexcept {
    watched* place = nullptr;
    for (watched& w : sockets_) {
      if (w.opening != 0 && w.descriptor == descriptor) {
        if (!reads && !writes) w.opening = 0;  // c-ares closes it
        w.writes = writes;
        return;
      }
      if (w.opening == 0) place = &w;
    }
    if ((!reads && !writes) || place == nullptr || !is_open_) return;
    *place = {descriptor, ++openings_, writes};
    // Where nobody can be spawned, the query's time tells.
    if (!ctx_.spawn(watch(*this, *place, openings_))) place->opening = 0;
  }

  /// Ends with the socket, or with the server: then nobody looks at the socket any more, and c-ares
  /// must not use it for the next name.
  class watcher_guard {
   public:
    watcher_guard(ares_line& line, watched& socket) noexcept
        : line_(line), socket_(socket), opening_(socket.opening) {}
    watcher_guard(const watcher_guard&) = delete;
    watcher_guard& operator=(const watcher_guard&) = delete;
    ~watcher_guard() {
      if (socket_.opening != opening_ || !line_.is_open_) return;
      socket_.opening = 0;
      const memory_scope mine(line_.memory_);
      current() = &line_;
      ares_cancel(line_.channel_);
    }

   private:
    ares_line& line_;
    watched& socket_;
    std::uint32_t opening_;
  };

  static task<void> watch(ares_line& line, watched& socket, std::uint32_t opening) {
    const watcher_guard guard(line, socket);
    while (socket.opening == opening) {
      const std::uint32_t most = line.next_timeout_ms();
      const int descriptor = socket.descriptor;
      const poll_outcome how = socket.writes ? co_await line.ctx_.writable(descriptor, most)
                                             : co_await line.ctx_.readable(descriptor, most);
      if (socket.opening != opening) break;
      if (how == poll_outcome::no_slot) co_await line.ctx_.sleep(std::uint32_t{10});
      const memory_scope mine(line.memory_);
      current() = &line;
      const bool is_ready = how == poll_outcome::ready;
      ares_process_fd(line.channel_, is_ready && !socket.writes ? descriptor : ARES_SOCKET_BAD,
                      is_ready && socket.writes ? descriptor : ARES_SOCKET_BAD);
    }
  }
  /// When c-ares wants to look at its queries again.
  std::uint32_t next_timeout_ms() noexcept {
    constexpr timeval at_most{1, 0};
    timeval most = at_most;
    timeval left{};
    const timeval* const next = ares_timeout(channel_, &most, &left);
    return static_cast<std::uint32_t>(next->tv_sec * 1000 + next->tv_usec / 1000) + 1;
  }

  ares_memory memory_;
  ares_channel channel_;
  context ctx_;
  intrusive_list<ares_query, ares_query_tag> waiting_;
  std::array<watched, 8> sockets_;
  std::uint32_t last_number_;
  std::uint32_t openings_;
  bool is_open_;
};

}  // namespace detail

/// Asks the name servers of /etc/resolv.conf, for the coroutines of up to Shards threads. It lies
/// in static storage and outlives the servers that use it:
/// @code  static nen::ares_resolver<> names;
///        if (auto opened = names.open(); !opened) …
///        server.run({.clients = {.resolver = names.resolver()}});  @endcode
/// A thread asks one resolver of a type.
template <std::uint32_t Shards = 1>
class ares_resolver {
 public:
  ares_resolver() = default;
  ares_resolver(const ares_resolver&) = delete;
  ares_resolver& operator=(const ares_resolver&) = delete;
  ~ares_resolver() {
    for (detail::ares_line& line : lines_) line.shut();
  }

  /// Reads the system's settings. At start-up, before the first name is asked for: it allocates.
  /// @param servers     "127.0.0.1:53,[::1]:5353" instead of the system's; null: the system's
  /// @param timeout_ms  for one server's answer
  /// @param tries       rounds through all servers
  [[nodiscard]] result<void> open(const char* servers = nullptr, int timeout_ms = 2'000,
                                  int tries = 3) noexcept {
    static const int library =
        ares_library_init_mem(ARES_LIB_INIT_ALL, &detail::ares_memory::allocate,
                              &detail::ares_memory::release, &detail::ares_memory::reallocate);
    if (library != ARES_SUCCESS)
      return make_error(EINVAL, "cannot set up c-ares: %s", ares_strerror(library));
    self_ = {resolve, this};
    for (detail::ares_line& line : lines_)
      if (auto opened = line.open(servers, timeout_ms, tries); !opened) return opened;
    return {};
  }

  /// For listen_options::clients.
  const nen::resolver* resolver() noexcept { return &self_; }

 private:
  static task<resolve_outcome> resolve(void* state, context& ctx, std::string_view name,
                                       std::uint16_t port, std::uint32_t timeout_ms,
                                       resolved& into) {
    constexpr std::size_t name_bytes_max = 253;  // RFC 1035 §2.3.4, without the closing dot
    detail::ares_line* const line = static_cast<ares_resolver*>(state)->line_of_this_thread();
    if (line == nullptr) co_return resolve_outcome::overloaded;
    if (name.empty() || name.size() > name_bytes_max) co_return resolve_outcome::unknown;
    std::array<char, name_bytes_max + 1> text{};
    name.copy(text.data(), name.size());
    line->serve(ctx);
    detail::ares_query query(*ctx.host().timers, line->next_number(), ctx.now_ms() + timeout_ms,
                             timeout_ms != 0);
    line->ask(query, text.data());
    co_await query;
    // IPv6 first, and the families in turn, so that one of them being broken costs one delay (RFC
    // 8305 §4).
    for (std::size_t six = 0, four = 0; into.size() < query.found.size();) {
      const auto next = [&](std::size_t& at, int family) {
        while (at < query.found.size() && query.found[at].family() != family) ++at;
        if (at < query.found.size()) into.add(query.found[at++].with_port(port));
      };
      next(six, AF_INET6);
      next(four, AF_INET);
    }
    co_return query.outcome;
  }

  /// A line in the hands of a thread, up to that thread's end.
  struct holding {
    ares_resolver* of = nullptr;
    std::uint32_t at = 0;
    ~holding() {
      if (of != nullptr) of->is_taken_[at].store(false, std::memory_order_release);
    }
  };

  detail::ares_line* line_of_this_thread() noexcept {
    static thread_local holding mine;
    for (; mine.of == nullptr && mine.at < Shards; ++mine.at) {
      if (is_taken_[mine.at].exchange(true, std::memory_order_acquire)) continue;
      mine.of = this;
      break;
    }
    if (mine.of != this) {
      if (mine.of == nullptr) mine.at = 0;  // all are taken just now
      return nullptr;
    }
    return &lines_[mine.at];
  }

  std::array<detail::ares_line, Shards> lines_;
  std::array<std::atomic<bool>, Shards> is_taken_;
  nen::resolver self_;
};

}  // namespace nen
