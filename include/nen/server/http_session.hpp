// server, L3: the session that speaks HTTP/1.1: cuts requests out of what arrives, has them
// answered, and keeps what is incomplete. One object per shard.
#pragma once

#include <nen/config.hpp>
#include <nen/core/discarding_output.hpp>
#include <nen/core/function_ref.hpp>
#include <nen/core/smallest.hpp>
#include <nen/http/body_part.hpp>
#include <nen/http/body_stream.hpp>
#include <nen/http/deferred.hpp>
#include <nen/http/handler.hpp>
#include <nen/http/parser.hpp>
#include <nen/http/response.hpp>
#include <nen/server/answer_marks.hpp>
#include <nen/server/built_in_states.hpp>
#include <nen/server/connection.hpp>
#include <nen/server/counters.hpp>
#include <nen/server/gate_choice.hpp>
#include <nen/server/http_journal.hpp>
#include <nen/server/http_slots.hpp>
#include <nen/server/http_tasks.hpp>
#include <nen/server/route_metrics.hpp>

#include <pthread.h>

#include <cstdint>
#include <cstring>
#include <exception>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace nen {

/// @tparam Routes  a nen::router
/// @tparam State   the objects that handlers may ask for by type
template <class Routes, config Config, class... State>
class http_session : detail::deferred_host {
  static_assert(Config.head_bytes_max >= 64 && Config.head_bytes_max <= 65535,
                "config::head_bytes_max must be 64 to 65535");
  static_assert(Config.fields_max <= 65535 && Config.fields_max >= 1,
                "config::fields_max must be 1 to 65535");
  static_assert(Config.target_bytes_max >= 1 && Config.target_bytes_max <= Config.head_bytes_max,
                "config::target_bytes_max must be at least 1 and not above config::head_bytes_max");
  static_assert(Config.body_bytes_max >= 1, "config::body_bytes_max must be at least 1");

 public:
  using state_references = state_refs<State...>;
  static constexpr std::uint32_t send_views = 0;
  static constexpr std::uint32_t outgoing = 0;
  static constexpr std::size_t websocket_bytes = 0;
  static constexpr std::size_t message_bytes = 0;

  /// True when a handler shows what is measured: only then is anything measured.
  static constexpr bool measures = state_references::template has<server_metrics>;
  /// The routes, for who shows them.
  static constexpr std::span<const route_info> routes = Routes::routes;

  struct connection_state : detail::request_timing<measures>, detail::journal_state<Config> {
    detail::kept_request kept;  ///< the request that is incomplete, or not answered yet
    std::uint32_t requests;     ///< taken from this connection
    bool deferred;              ///< true exactly when the last one's answer comes later
    bool receiving;             ///< true exactly when a consumer waits for more of the last one
    std::uint32_t held;         ///< of the bytes offered next: these were read, and are looked at
  };

  /// Makes the shard known to handles of deferred answers.
  template <class Shard>
  void bind(Shard& shard) noexcept {
    shard_ = &shard;
    thread_ = pthread_self();
    call = &handle_calls<Shard>::table;
  }

  /// Takes over what concerns it of the options. @pre  no connection is open
  void start(const listen_options& options, state_refs<State...> states) noexcept {
    states_ = states;
    header_timeout_ = detail::to_milliseconds(options.header_timeout);
    body_timeout_ = detail::to_milliseconds(options.body_timeout);
    handler_timeout_ = detail::to_milliseconds(options.handler_timeout);
    idle_timeout_ = detail::to_milliseconds(options.idle_timeout);
    drain_idle_timeout_ = detail::drain_idle_milliseconds(options);
    requests_max_ = options.requests_per_connection_max;
    events_ = detail::event_log(options);
    common_lines_.start(options.server_name);
  }

  template <class Peer>
  void on_open(Peer& p) noexcept {
    // Nothing was asked yet, so that no answer is owed to who sends no byte in time.
    p.set_read_timeout(timeout_kind::idle, header_timeout_);
  }

  /// Answers every complete request in `bytes` as far as there is room for answers; keeps what is
  /// left of an incomplete one.
  template <class Peer>
  std::size_t on_data(Peer& p, std::span<char> bytes);

  template <class Peer>
  void on_end(Peer& p) noexcept {
    p.close();
  }

  template <class Peer>
  void on_timeout(Peer& p, timeout_kind kind);

  template <class Peer>
  void on_shed(Peer& p) noexcept {
    answer_and_close(p, status::service_unavailable);
  }

  template <class Peer>
  void on_close(Peer& p) noexcept {
    if (p.state().kept.stream != 0) tell_producer_of_end(p);
    log_unanswered(p);
    drop_request(p);
  }

  template <class Peer>
  void on_room(Peer& p) {
    if (p.state().kept.stream == 0) return;
    auto out = p.writer();
    out.begin_message();
    call_producer(p, out);
  }

  template <class Peer>
  [[gnu::cold]] void on_drain(Peer& p) noexcept;

  /// Lets routes' handlers open WebSockets.
  void set_websockets(detail::websocket_host* host) noexcept { websockets = host; }

  /// What coroutines ask for things.
  void set_context(nen::context* context) noexcept requires(Routes::has_coroutine) {
    tasks_.context = context;
  }

  /// What the handler answers that runs this tree of tasks.
  template <class Shard>
  static detail::http_exchange& exchange_of(detail::task_owner& owner) noexcept {
    // Only handlers have a request to read and an answer to write: who was spawned has not.
    NEN_ASSERT(owner.call == &task_calls<Shard>::calls);
    return static_cast<task&>(owner);
  }

  const auto& tasks() const noexcept requires(Routes::has_coroutine) { return tasks_.slots; }
  /// An answer has been handed to the kernel.
  void answers_sent(const detail::answer_mark& mark, std::uint64_t now_ns) noexcept
      requires(measures) {
    metrics_.routes[mark.route].latency.record(now_ns - mark.began_ns, mark.answers);
  }
  /// What was measured of a route: its index + 1; 0 for requests without one.
  const route_metrics& route_figures(std::uint32_t which) const noexcept requires(measures) {
    return metrics_.routes[which];
  }
  /// What handlers take, for who shows it.
  const auto& states() const noexcept requires(measures) { return states_; }
  void show_pools(function_ref<void(const pool_figures&)> show) const {
    detail::show_pool(show, "head slots", store_.heads());
    detail::show_pool(show, "body slots", store_.bodies());
    detail::show_pool(show, "streams", store_.streams());
    if constexpr (Routes::has_coroutine)
      detail::show_pool(show, "coroutine handlers", tasks_.slots);
  }

  const auto& head_slots() const noexcept { return store_.heads(); }
  const auto& body_slots() const noexcept { return store_.bodies(); }
  const auto& stream_slots() const noexcept { return store_.streams(); }

 private:
  /// True when a coroutine may take a body part by part.
  static constexpr bool feeds_tasks = Routes::has_coroutine && Routes::has_streamed;

  using store = detail::request_store<Config>;
  using slot = typename store::slot;
  using parser = request_parser_with<store::fields_max>;

  static constexpr parse_limits limits = {Config.head_bytes_max, store::fields_max,
                                          static_cast<std::uint16_t>(Config.target_bytes_max),
                                          Config.body_bytes_max};

  // Requests out of bytes: http_session_read.ipp.
  template <class Peer>
  char* read_in_place(Peer& p, output& out, char* begin, char* end);
  template <class Peer>
  [[gnu::noinline]] char* read_on(Peer& p, output& out, char* at, char* end);
  static bool limit_body(request_parser& from) noexcept;
  template <class Peer>
  [[gnu::noinline]] void keep_incomplete(Peer& p, output& out, char* begin, char* end);
  template <class Peer>
  [[gnu::noinline]] bool keep(Peer& p, output& out, const char* begin, std::uint32_t head_bytes,
                              bool with_body);
  template <class Peer>
  bool try_keep(Peer& p, output& out, const char* begin, std::uint32_t head_bytes, bool with_body);
  template <class Peer>
  bool try_keep_body(Peer& p, output& out, request_parser& from);
  template <class Peer>
  [[gnu::noinline]] bool keep_body(Peer& p, output& out, parser& from);
  template <class Peer>
  [[gnu::cold]] bool evict_head(Peer& p);

  template <class Peer>
  static bool has_request(Peer& p) noexcept {
    return p.state().kept.head_slot != 0;
  }

  /// True once the connection has left HTTP.
  template <class Peer>
  static bool is_upgraded(Peer& p) noexcept {
    if constexpr (Routes::has_websocket) return p.state().websocket != 0;
    return false;
  }

  template <class Peer>
  [[gnu::noinline]] void drop_request(Peer& p) noexcept {
    if constexpr (Routes::has_streamed) {
      if (p.state().receiving) tell_consumer_of_end(p);
    }
    if constexpr (Routes::has_coroutine) end_task(p);
    store_.release(p.state().kept);
    p.state().deferred = false;
  }

  /// The request is not needed any more, except by a coroutine that goes on.
  template <class Peer>
  void release_request(Peer& p) noexcept {
    if constexpr (Routes::has_coroutine)
      if (has_request(p) && store_.head_of(p.state().kept).task != 0) return;
    store_.release_request(p.state().kept);
  }

  /// Where an answer is when its handler has returned.
  enum class answer_is : std::uint8_t { complete, deferred, streaming, receiving };

  // Answers: http_session_answer.ipp.
  template <class Peer>
  answer_is respond(Peer& p, output& out, const request& message, bool is_whole = true);
  template <class Peer>
  answer_is respond_with(Peer& p, output& out, const request& message, bool is_whole,
                         function_ref<reply(response&)> make, bool closes = false);
  template <class Peer>
  reply answer_refusal(Peer& p, const request&, response& res, const request_refusal&);
  template <class Peer>
  reply dispatch(Peer& p, const request& message, response& res);
  template <class Peer>
  void count_answer(Peer& p, status code) noexcept;
  template <class Peer>
  void mark_answer(Peer& p, output& out) noexcept;
  template <class Peer>
  void stage(Peer& p) noexcept;
  template <class Peer>
  answer_is answer(Peer& p, output& out, const request& message,
                   function_ref<reply(response&)> make, bool is_whole = true);
  template <class Peer>
  void guard(Peer& p, const request& message, response& res, function_ref<reply(response&)> make);
  template <class Peer>
  [[gnu::cold]] void reject(Peer& p, output& out, status code, const request_parser& from,
                            bool knows_head);
  template <class Peer>
  [[gnu::noinline]] void refuse(Peer& p, output& out, status code, const request* refused = nullptr,
                                bool to_head = false, bool in_place = true);
  template <class Peer>
  [[gnu::cold]] void answer_and_close(Peer& p, status code);
  template <class Peer>
  void log_unanswered(Peer& p) noexcept;
  template <class Peer>
  [[gnu::cold]] void rest_or_close(Peer& p) noexcept;

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
  template <class Peer>
  completion_outcome complete(Peer& p, function_ref<reply(const request&, response&)> make,
                              bool is_whole = true);
  // Bodies that are taken part by part: http_session_receive.ipp.
  template <class Peer>
  [[gnu::cold]] char* begin_receiving(Peer& p, output& out, char* at, char* end);
  template <class Peer>
  [[gnu::cold]] char* receive_part(Peer& p, output& out, char* at, char* end);
  template <class Peer>
  [[gnu::cold]] void deliver(Peer& p, output& out, bool is_last);
  template <class Peer>
  [[gnu::cold]] void go_on(Peer& p) noexcept;
  template <class Peer>
  [[gnu::cold]] void tell_consumer_of_end(Peer& p) noexcept;

  // Handlers that are coroutines: http_session_task.ipp.
  using task = detail::http_task<Config>;
  template <class Peer>
  detail::task_ground* begin_task(Peer& p, response& res);
  template <class Peer>
  bool keep_for_task(Peer& p, output& out);
  template <class Peer>
  void end_task(Peer& p) noexcept;
  template <class Peer>
  reply run_task(Peer& p, task& self, response& res, nen::task<reply>&& made);
  template <class Peer>
  reply answer_of(Peer& p, task& self, response& res, nen::task<reply>& root);
  template <class Peer>
  reply take_answer(Peer& p, task& self, response& res);
  static void end_as(task& self, response& res) noexcept;
  template <class Peer>
  void answer_task(Peer& p, task& self);
  // Bodies that they take and write: http_session_exchange.ipp.
  bool begin_answer_stream(task& self);
  reply head_of(task& self, response& res);
  void feed_stream(task& self, body_stream& body, shard_counters& counters);
  template <class Peer>
  reply feed_part(Peer& p, task& self, const body_part& part, response& res);
  template <class Peer>
  bool task_is_busy(Peer& p) noexcept;
  template <class Peer>
  bool holds_part(Peer& p) noexcept;
  template <class Peer>
  void wait_for_task(Peer& p) noexcept;
  template <class Peer>
  [[gnu::cold]] void task_is_late(Peer& p);
  template <class Shard>
  struct task_calls;
  struct no_task_calls;

  // Answers that are streamed: http_session_stream.ipp.
  template <class Peer>
  bool start_stream(Peer& p, output& out, const request& message, response& res);
  template <class Peer>
  void call_producer(Peer& p, output& out);
  template <class Peer>
  void end_stream(Peer& p, output& out) noexcept;
  template <class Peer>
  void tell_producer_of_end(Peer& p) noexcept;
  template <class Peer>
  void drain_stream(Peer& p) noexcept;
  template <class Peer>
  bool run_producer(Peer& p, body_stream& body) noexcept;

  template <class Shard>
  struct handle_calls;

  parser parser_;  // of the request that is being read in place
  response_defaults defaults_;
  state_refs<State...> states_;
  detail::common_lines common_lines_;
  std::uint32_t header_timeout_;
  std::uint32_t body_timeout_;
  std::uint32_t handler_timeout_;
  std::uint32_t idle_timeout_;
  std::uint32_t drain_idle_timeout_;
  std::uint32_t requests_max_;
  detail::deferral staged_;  // of the handler that is running, until it is known to defer
  detail::stream_callback staged_producer_;
  detail::body_callback staged_consumer_;
  std::uint32_t more_after_ms_;  // what the consumer that was called last asked for
  detail::request_name staged_for_;
  void* shard_;
  pthread_t thread_;
  detail::event_log events_;
  const char* read_from_;  // of the request in place: where it begins
  char scratch_[Config.target_bytes_max];
  store store_;
  [[no_unique_address]] detail::http_journal<Config> journal_;
  [[no_unique_address]] detail::http_task_slots<Config, Routes::has_coroutine> tasks_;
  [[no_unique_address]] detail::http_metrics<Routes::route_count, measures> metrics_;
};

}  // namespace nen

#include <nen/server/http_session_answer.ipp>
#include <nen/server/http_session_deferred.ipp>
#include <nen/server/http_session_exchange.ipp>
#include <nen/server/http_session_read.ipp>
#include <nen/server/http_session_receive.ipp>
#include <nen/server/http_session_stream.ipp>
#include <nen/server/http_session_task.ipp>
