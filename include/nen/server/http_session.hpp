// server, L3: the session that speaks HTTP/1.1: cuts requests out of what arrives, has them
// answered, and keeps what is incomplete. One object per shard.
#pragma once

#include <nen/config.hpp>
#include <nen/http/deferred.hpp>
#include <nen/http/handler.hpp>
#include <nen/http/parser.hpp>
#include <nen/http/response.hpp>
#include <nen/server/connection.hpp>
#include <nen/server/counters.hpp>
#include <nen/server/http_slots.hpp>

#include <pthread.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <span>
#include <string_view>

namespace nen {

/// @tparam Routes  a nen::router
/// @tparam State   the objects that handlers may ask for by type
template <class Routes, config Config, class... State>
class http_session : detail::deferred_host {
  static_assert(Config.head_bytes_max <= 65535, "config::head_bytes_max must be at most 65535");
  static_assert(Config.fields_max <= 65535 && Config.fields_max >= 1,
                "config::fields_max must be 1 to 65535");
  static_assert(Config.target_bytes_max <= Config.head_bytes_max,
                "config::target_bytes_max must not be above config::head_bytes_max");

 public:
  struct connection_state {
    detail::kept_request kept;  ///< the request that is incomplete, or not answered yet
    std::uint32_t requests;     ///< taken from this connection
    bool deferred;              ///< true exactly when the last one's answer comes later
  };

  /// Makes the shard known to handles of deferred answers.
  template <class Shard>
  void bind(Shard& shard) noexcept {
    shard_ = &shard;
    thread_ = pthread_self();
    call = &handle_functions<Shard>;
  }

  /// Takes over what concerns it of the options. @pre  no connection is open
  void start(const listen_options& options, state_refs<State...> states) noexcept {
    states_ = states;
    header_timeout_ = detail::to_milliseconds(options.header_timeout);
    body_timeout_ = detail::to_milliseconds(options.body_timeout);
    handler_timeout_ = detail::to_milliseconds(options.handler_timeout);
    idle_timeout_ = detail::to_milliseconds(options.idle_timeout);
    requests_max_ = options.requests_per_connection_max;
    on_exception_ = options.on_exception != nullptr ? options.on_exception : detail::say_exception;
    common_lines_.start(options.server_name);
  }

  template <class Peer>
  void on_open(Peer& p) noexcept {
    // Nothing was asked yet, so nothing is owed: who sends no byte in time is closed without an
    // answer.
    p.set_read_timeout(timeout_kind::idle, header_timeout_);
  }

  /// Answers every complete request in `bytes` as far as there is room for answers; keeps what is
  /// left of an incomplete one.
  template <class Peer>
  std::size_t on_data(Peer& p, std::span<char> bytes) {
    char* at = bytes.data();
    char* const end = at + bytes.size();
    defaults_ = common_lines_.at(p.unix_seconds());
    auto out = p.writer();
    while (at != end && !p.closing() && !p.paused() && p.has_room())
      at = !has_request(p) ? read_in_place(p, out, at, end) : read_on(p, out, at, end);
    if (p.closing()) return bytes.size();
    if (!has_request(p)) p.set_read_timeout(timeout_kind::idle, idle_timeout_);
    return static_cast<std::size_t>(at - bytes.data());
  }

  template <class Peer>
  void on_end(Peer& p) noexcept {
    p.close();
  }

  template <class Peer>
  void on_timeout(Peer& p, timeout_kind kind) {
    if (kind == timeout_kind::handler) return deferral_due(p);
    if (kind == timeout_kind::idle || !p.has_room()) return p.close();
    answer_and_close(p, status::request_timeout);
  }

  template <class Peer>
  void on_shed(Peer& p) noexcept {
    answer_and_close(p, status::service_unavailable);
  }

  template <class Peer>
  void on_close(Peer& p) noexcept {
    drop_request(p);
  }

  template <class Peer>
  bool is_idle(Peer& p) const noexcept {
    return !has_request(p);
  }

  const auto& head_slots() const noexcept { return store_.heads(); }
  const auto& body_slots() const noexcept { return store_.bodies(); }

 private:
  using store = detail::request_store<Config>;
  using slot = typename store::slot;
  using parser = request_parser_with<store::fields_max>;

  static constexpr parse_limits limits = {Config.head_bytes_max, store::fields_max,
                                          static_cast<std::uint16_t>(Config.target_bytes_max),
                                          Config.body_bytes_max};

  /// Reads a request from its first byte, where it lies.
  /// @returns  the first byte that is not used
  template <class Peer>
  char* read_in_place(Peer& p, output& out, char* begin, char* end) {
    parser_.start(begin, limits);
    char* at = begin;
    parse_result got = parser_.feed(at, end);
    if (got.status == parse_status::head_complete) {
      at += got.consumed;
      got = parser_.feed(at, end);
    }
    at += got.consumed;
    switch (got.status) {
      case parse_status::message_complete:
        if (!respond(p, out, parser_.message())) defer(p, out, begin);
        return at;
      case parse_status::need_more:
        keep_incomplete(p, out, begin, end);
        return end;
      case parse_status::rejected:
        reject(p, out, got.answer);
        return end;
      case parse_status::head_complete:
        break;
    }
    NEN_ASSERT(false);
    return end;
  }

  /// Reads on a request of which a part came before.
  template <class Peer>
  [[gnu::noinline]] char* read_on(Peer& p, output& out, char* at, char* end) {
    slot& kept = store_.head_of(p.state().kept);
    parse_result got{};
    if (kept.parser.in_body()) {
      got = kept.parser.feed(at, end);
      at += got.consumed;
    } else {
      const auto room = static_cast<std::size_t>(Config.head_bytes_max - kept.used);
      const auto size = std::min(room, static_cast<std::size_t>(end - at));
      char* const to = kept.bytes + kept.used;
      std::memcpy(to, at, size);
      got = kept.parser.feed(to, to + size);
      at += got.consumed;
      kept.used += static_cast<std::uint32_t>(got.consumed);
      if (got.status == parse_status::head_complete) {
        store_.set_complete(kept);
        p.set_read_timeout(timeout_kind::body, body_timeout_);
        got = kept.parser.feed(at, end);
        at += got.consumed;
      }
    }
    switch (got.status) {
      case parse_status::message_complete:
        if (respond(p, out, kept.parser.message())) {
          drop_request(p);
        } else {
          defer_kept(p, out);
        }
        return at;
      case parse_status::need_more:
        if (kept.parser.in_body() && p.state().kept.body_slot == 0)
          (void)keep_body(p, out, kept.parser);
        return end;
      case parse_status::rejected:
        reject(p, out, got.answer);
        return end;
      case parse_status::head_complete:
        break;
    }
    NEN_ASSERT(false);
    return end;
  }

  /// Keeps a request of which more is to come.
  template <class Peer>
  [[gnu::noinline]] void keep_incomplete(Peer& p, output& out, char* begin, char* end) {
    const bool in_body = parser_.in_body();
    const auto head_bytes =
        in_body ? parser_.head().head_bytes : static_cast<std::uint32_t>(end - begin);
    if (!keep(p, out, begin, head_bytes, in_body)) return;
    if (!in_body) store_.set_incomplete(store_.head_of(p.state().kept));
    p.set_read_timeout(in_body ? timeout_kind::body : timeout_kind::head,
                       in_body ? body_timeout_ : header_timeout_);
  }

  /// Moves a request out of the lease, which goes back.
  /// @returns  false when there is no room for it; then 503 was answered
  template <class Peer>
  [[gnu::noinline]] bool keep(Peer& p, output& out, const char* begin, std::uint32_t head_bytes, bool with_body) {
    if (with_body && !keep_body(p, out, parser_)) return false;
    if (!store_.take_head(p.state().kept) && !evict_head(p)) {
      p.counters().head_slots_empty.add();
      refuse(p, out, status::service_unavailable);
      return false;
    }
    slot& kept = store_.head_of(p.state().kept);
    kept.connection = p.index();
    kept.used = head_bytes;
    std::memcpy(kept.bytes, begin, head_bytes);
    parser_.move_to(kept.parser, kept.bytes);
    return true;
  }

  /// Finds a place for a body of which more is to come, and lets a client that asked send it.
  template <class Peer>
  [[gnu::noinline]] bool keep_body(Peer& p, output& out, parser& from) {
    if (!store_.take_body(p.state().kept)) {
      p.counters().body_slots_empty.add();
      refuse(p, out, status::service_unavailable);
      return false;
    }
    // RFC 9110 §10.1.1: a client that waits for leave to send is told; one that has begun is not.
    if (from.in_body() && from.head().expects_continue && from.message().body().empty()) {
      out.begin_message();
      (void)out.append("HTTP/1.1 100 Continue\r\n\r\n");
    }
    from.body_into(store_.body_of(p.state().kept), Config.body_bytes_max);
    return true;
  }

  /// No head slot is free: whoever has been sending his head for longest pays for it.
  /// @returns  true when a slot was taken
  template <class Peer>
  [[gnu::cold]] bool evict_head(Peer& p) {
    const slot* const oldest = store_.oldest_incomplete();
    if (oldest == nullptr) return false;
    p.counters().head_slots_evicted.add();
    p.with_other(oldest->connection, [&](Peer& other) {
      if (other.has_room_beside_another()) {
        answer_and_close(other, status::request_timeout);
      } else {
        drop_request(other);
        other.close();
      }
    });
    return store_.take_head(p.state().kept);
  }

  template <class Peer>
  static bool has_request(Peer& p) noexcept {
    return p.state().kept.head_slot != 0;
  }

  template <class Peer>
  [[gnu::noinline]] void drop_request(Peer& p) noexcept {
    store_.release(p.state().kept);
    p.state().deferred = false;
  }

  /// Has a complete request answered.
  /// @returns  false when its answer comes later
  template <class Peer>
  bool respond(Peer& p, output& out, const request& message) {
    ++p.state().requests;
    p.counters().requests.add();
    staged_.callback.clear();
    staged_for_ = name(p);
    return answer(p, out, message,
                  [&](response& res) { return Routes::dispatch(message, res, states_, scratch_); });
  }

  /// Has `make` write the answer to `message`, and closes behind it if it is the last.
  /// @returns  false when the answer was put off
  template <class Peer, class Make>
  bool answer(Peer& p, output& out, const request& message, Make make) {
    const bool is_last = requests_max_ != 0 && p.state().requests >= requests_max_;
    response res(out, defaults_,
                 {.without_body = message.method() == method::head,
                  .keep_alive = message.keep_alive() && !p.draining() && !is_last,
                  .http_1_0 = message.version_minor() == 0},
                 detail::deferred_access::make(*this, name(p)));
#if defined(__cpp_exceptions)
    try {
      (void)make(res);
    } catch (const std::exception& problem) {
      (void)failed(p, message, res, problem.what());
    } catch (...) {
      (void)failed(p, message, res, "not a std::exception");
    }
#else
    (void)make(res);
#endif
    NEN_ASSERT(res.finished());
    if (res.is_deferred()) return false;
    if (res.was_replaced()) p.counters().responses_replaced.add();
    if (!res.keeps_alive()) {
      // Who asked for the close sends no more; anyone else may be sending his next request just
      // now.
      if (message.keep_alive()) {
        p.close_lingering();
      } else {
        p.close();
      }
    }
    return true;
  }

#if defined(__cpp_exceptions)
  /// A handler's exception is the handler's fault, not the shard's: it is said, and life goes on.
  template <class Peer>
  [[gnu::cold]] reply failed(Peer& p, const request& message, response& res, const char* what) {
    p.counters().handler_exceptions.add();
    on_exception_(message, what);
    res.start_over();
    try {
      return Routes::answer_error(status::internal_server_error, message, res, states_);
    } catch (...) {
      res.start_over();
      return res.status(status::internal_server_error);
    }
  }
#endif

  // Answers that come later: http_session_deferred.ipp.
  template <class Peer>
  detail::request_name name(Peer& p) const noexcept {
    return {p.index(), p.generation(), p.state().requests};
  }
  template <class Peer>
  [[gnu::cold]] void defer(Peer& p, output& out, const char* begin);
  template <class Peer>
  [[gnu::cold]] void defer_kept(Peer& p, output& out);
  template <class Peer>
  [[gnu::cold]] void set_deferral_timer(Peer& p) noexcept;
  template <class Peer>
  [[gnu::cold]] void deferral_due(Peer& p);
  template <class Peer, class Make>
  completion_outcome complete(Peer& p, Make make);
  template <class Shard>
  static Shard* shard_waiting_for(deferred_host& host, const detail::request_name& n) noexcept;
  template <class Shard>
  static const functions handle_functions;

  template <class Peer>
  [[gnu::cold]] void reject(Peer& p, output& out, status code) {
    p.counters().requests_rejected.add();
    refuse(p, out, code);
  }

  /// Answers with an error after which the connection can't go on. @pre  there is room
  template <class Peer>
  [[gnu::noinline]] void refuse(Peer& p, output& out, status code) {
    response res(out, defaults_, {.keep_alive = false});
    res.set_status(code);
    if (code == status::service_unavailable) res.field("Retry-After", "1");
    (void)res.status(code);
    drop_request(p);
    p.close_lingering();
  }

  template <class Peer>
  [[gnu::cold]] void answer_and_close(Peer& p, status code) {
    defaults_ = common_lines_.at(p.unix_seconds());
    auto out = p.writer();
    refuse(p, out, code);
  }

  parser parser_;  // of the request that is being read in place
  response_defaults defaults_;
  state_refs<State...> states_;
  detail::common_lines common_lines_;
  std::uint32_t header_timeout_;
  std::uint32_t body_timeout_;
  std::uint32_t handler_timeout_;
  std::uint32_t idle_timeout_;
  std::uint32_t requests_max_;
  detail::deferral staged_;  // of the handler that is running, until it is known to defer
  detail::request_name staged_for_;
  void* shard_;
  pthread_t thread_;
  void (*on_exception_)(const request&, const char* what);
  char scratch_[Config.target_bytes_max];
  store store_;
};

}  // namespace nen

#include <nen/server/http_session_deferred.ipp>
