// client, L3: the HTTP client that coroutines ask: context::http() is it. How it waits for
// connections, for room and for bytes is here, and what it does with them in http_fetch.hpp.
#pragma once

#include <nen/client/connection_pool.hpp>
#include <nen/client/happy_eyeballs.hpp>
#include <nen/client/hosts_file.hpp>
#include <nen/client/http_answer.hpp>
#include <nen/client/http_fetch.hpp>
#include <nen/client/http_options.hpp>
#include <nen/client/resolver.hpp>
#include <nen/config.hpp>
#include <nen/core/pool.hpp>
#include <nen/http/fields.hpp>
#include <nen/http/method.hpp>
#include <nen/io/context.hpp>
#include <nen/io/signal.hpp>
#include <nen/io/task.hpp>
#include <nen/io/when.hpp>

#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>
#include <utility>

namespace nen {

namespace detail {

/// What one fetch may use.
template <config Config>
struct fetch_slot {
  alignas(fetch) std::byte object[sizeof(fetch)];
  field_ref table[Config.fields_max];
  char head[Config.fetch_head_bytes];
  char body[Config.fetch_body_bytes];
  char urls[2][Config.fetch_url_bytes];
};

}  // namespace detail

namespace http {

/// Asks HTTP servers, over connections that are kept. What an answer needs is fixed memory: one
/// more than config::fetches is fetch_error::no_slot. It is used on its shard's thread alone. Zero:
/// not bound.
class client {
 public:
  client() = default;
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  /// Awaited, each gives an answer with its whole body. It follows redirections, and ends by its
  /// deadline. The slot is taken by the call, and the URL copied to it.
  [[nodiscard]] task<answer> fetch(const request& asked) { return run(begin(asked, true)); }
  [[nodiscard]] task<answer> get(std::string_view url, const options& how = {}) {
    return fetch({.method = method::get, .url = url, .options = how});
  }
  [[nodiscard]] task<answer> head(std::string_view url, const options& how = {}) {
    return fetch({.method = method::head, .url = url, .options = how});
  }
  [[nodiscard]] task<answer> del(std::string_view url, const options& how = {}) {
    return fetch({.method = method::delete_, .url = url, .options = how});
  }
  /// @param content_type  for example "application/json"; empty: no such field
  /// @param body          has to stay until the answer is there
  [[nodiscard]] task<answer> post(std::string_view url, std::string_view content_type,
                                  std::string_view body, const options& how = {}) {
    return send(method::post, url, content_type, body, how);
  }
  [[nodiscard]] task<answer> put(std::string_view url, std::string_view content_type,
                                 std::string_view body, const options& how = {}) {
    return send(method::put, url, content_type, body, how);
  }
  [[nodiscard]] task<answer> patch(std::string_view url, std::string_view content_type,
                                   std::string_view body, const options& how = {}) {
    return send(method::patch, url, content_type, body, how);
  }

  /// Awaited, gives an answer as soon as its head is there: its body, which may have any length, is
  /// then read part by part. All of the request was sent by then, unless the answer is an error.
  [[nodiscard]] task<answer> open(const request& asked) { return run(begin(asked, false)); }

  /// Awaited, finds a host's addresses: what is numeric or in /etc/hosts at once, other names by
  /// the resolver.
  /// @param host  outlives it, and so does `into`, which is empty at first
  [[nodiscard]] inline task<resolve_outcome> find(std::string_view host, std::uint16_t port,
                                                  std::uint32_t timeout_ms, resolved& into);

  /// Fetches and answers that there are.
  [[nodiscard]] std::uint32_t in_use() const noexcept { return memory_.in_use(memory_.slots); }
  /// How often there was no slot.
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

  /// Who knows the addresses of names.
  /// @param hosts  is asked first; outlives this client
  /// @param other  is asked for what is not in there; outlives it too; may be null
  void set_names(const detail::hosts_file& hosts, const resolver* other) noexcept {
    hosts_ = &hosts;
    resolver_ = other;
  }

  template <config Config>
  void bind(const context& ctx, pool<detail::fetch_slot<Config>, Config.fetches>& slots) noexcept {
    context_ = ctx;
    memory_ = {&slots, take<Config>, give_back<Config>, count<Config>};
  }

 private:
  friend class answer;

  /// A shard's pool, without its sizes.
  struct memory {
    void* slots;
    void* (*take)(void* slots, detail::fetch_memory& its);  // null when every slot is taken
    void (*give_back)(void* slots, detail::fetch& object) noexcept;
    std::uint32_t (*in_use)(const void* slots) noexcept;
  };
  template <config Config>
  using pool_of = pool<detail::fetch_slot<Config>, Config.fetches>;
  template <config Config>
  static void* take(void* slots, detail::fetch_memory& its) noexcept {
    auto& from = *static_cast<pool_of<Config>*>(slots);
    const auto index = from.try_acquire();
    if (index == pool_of<Config>::none) return nullptr;
    auto& slot = from[index];
    its = {slot.table, slot.head, slot.body, {slot.urls[0], slot.urls[1]}};
    return slot.object;
  }
  template <config Config>
  static void give_back(void* slots, detail::fetch& object) noexcept {
    auto& to = *static_cast<pool_of<Config>*>(slots);
    object.~fetch();
    // The object is the slot's first member.
    to.release(to.index_of(*reinterpret_cast<detail::fetch_slot<Config>*>(&object)));
  }
  template <config Config>
  static std::uint32_t count(const void* slots) noexcept {
    return static_cast<const pool_of<Config>*>(slots)->in_use();
  }

  task<answer> send(method m, std::string_view url, std::string_view content_type,
                    std::string_view body, const options& how) {
    return fetch(
        {.method = m, .url = url, .body = body, .content_type = content_type, .options = how});
  }
  answer begin(const request& asked, bool gathers) noexcept {
    detail::fetch_memory its;
    void* const object = memory_.take(memory_.slots, its);
    if (object == nullptr) {
      ++refused_;
      return answer(fetch_error::no_slot);
    }
    return {*this, *new (object) detail::fetch(its, context_, asked, gathers)};
  }

  inline task<resolve_outcome> ask(std::string_view host, std::uint16_t port,
                                   std::uint32_t timeout_ms, resolved& into);
  static inline task<answer> run(answer result);
  static inline task<void> exchange(detail::fetch& f);
  static inline task<void> send_rest(detail::fetch& f);
  static inline task<void> receive(detail::fetch& f);
  static inline task<part> read(detail::fetch* f);

  context context_;
  memory memory_;
  const detail::hosts_file* hosts_;
  const resolver* resolver_;
  std::uint64_t refused_;
};

inline void answer::let_go() noexcept {
  if (of_ != nullptr) in_->memory_.give_back(in_->memory_.slots, *of_);
  of_ = nullptr;
}

inline task<part> answer::read() noexcept { return client::read(of_); }

inline task<resolve_outcome> client::find(std::string_view host, std::uint16_t port,
                                          std::uint32_t timeout_ms, resolved& into) {
  if (detail::resolve_numeric(host, port, into)) co_return resolve_outcome::ok;
  hosts_->find(host, port, into);
  if (!into.empty()) co_return resolve_outcome::ok;
  const auto how = co_await ask(host, port, timeout_ms, into);
  co_return how;
}

/// What only the resolver can know.
inline task<resolve_outcome> client::ask(std::string_view host, std::uint16_t port,
                                         std::uint32_t timeout_ms, resolved& into) {
  if (resolver_ == nullptr) co_return resolve_outcome::unknown;
  const auto found = co_await with_deadline(
      context_, timeout_ms,
      resolver_->resolve(resolver_->state, context_, host, port, timeout_ms, into));
  co_return found.value_or(resolve_outcome::timed_out);
}

/// Asks, and asks again where the answer says to.
inline task<answer> client::run(answer result) {
  detail::fetch* const f = result.of_;
  if (f == nullptr) co_return std::move(result);
  f->begin();
  while (f->is_fine()) {
    if (!f->find_address(*result.in_->hosts_)) {
      const auto how =
          co_await result.in_->ask(f->to().host, f->to().port, f->connect_time(), f->addresses());
      f->resolved_as(how);
      if (!f->is_fine()) break;
    }
    do {
      co_await exchange(*f);
    } while (f->tries_again());
    if (!f->follows()) break;
  }
  f->end_exchange();
  co_return std::move(result);
}

/// One request and its answer, as far as it is wanted at once.
inline task<void> client::exchange(detail::fetch& f) {
  f.begin_exchange();
  if (!f.is_fine()) co_return;
  if (f.addresses().size() == 1) {
    f.connected(co_await f.ctx().tcp().get(f.addresses()[0], f.connect_time(), f.wants_fresh()));
  } else {
    detail::eyeballs any(f.ctx(), f.addresses(), f.connect_time(), f.wants_fresh());
    f.connected(co_await any.connect());
  }
  if (!f.is_fine()) co_return;
  f.wrote(co_await f.connection().write(f.first_bytes(), f.bytes_time()));
  if (!f.is_fine()) co_return;
  if (f.has_more_to_send()) {
    co_await when_any(send_rest(f), receive(f));
  } else {
    f.all_sent();
    co_await receive(f);
  }
}

/// Ends only when something is wrong with the time or the source: else receive() is the one that
/// is waited for.
inline task<void> client::send_rest(detail::fetch& f) {
  constexpr std::size_t piece_bytes = 16 * KiB;
  if (f.expects()) co_await f.wait_for(f.go_ahead, f.within(f.options().expect_continue));
  std::string_view left = f.asked().body;
  while (f.can_send()) {
    if (f.asked().source) {
      const auto next = co_await f.asked().source.next();
      const std::string_view line = f.frame(next);
      if (!f.is_fine()) break;
      if (!line.empty()) f.wrote(co_await f.connection().write(line, f.bytes_time()));
      if (f.can_send() && !next->empty())
        f.wrote(co_await f.connection().write(*next, f.bytes_time()));
      if (f.can_send() && next->empty()) f.all_sent();
    } else {
      const std::string_view piece = left.substr(0, piece_bytes);
      left.remove_prefix(piece.size());
      f.wrote(co_await f.connection().write(piece, f.bytes_time()));
      if (f.can_send() && left.empty()) f.all_sent();
    }
  }
  if (f.is_fine()) co_await detail::never{};
}

/// Reads the answer up to its head, or to its end where it is gathered.
inline task<void> client::receive(detail::fetch& f) {
  using goal = detail::fetch::goal;
  while (f.needs_bytes(f.gathers() ? goal::end : goal::head))
    f.take(co_await f.connection().read(f.read_time()));
  // Who sends wants to know what became of it; who is told no does not send on.
  if (!f.is_fine() || f.is_complete() || !f.has_more_to_send() || !f.message().is_successful())
    co_return;
  co_await f.wait_for(f.sent, f.within(0U));
  if (f.has_more_to_send()) f.fail_by_time(fetch_error::bytes_timed_out);
}

inline task<part> client::read(detail::fetch* f) {
  if (f == nullptr) co_return part{};
  while (f->needs_bytes(detail::fetch::goal::part))
    f->take(co_await f->connection().read(f->read_time()));
  f->end_exchange();
  co_return part{f->part()};
}

}  // namespace http
}  // namespace nen
