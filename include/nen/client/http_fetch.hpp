// client, L3: one request that is under way and its answer: everything but the waiting. What it
// does, it does with bytes that are there; http_client.hpp brings them.
#pragma once

#include <nen/client/connection_pool.hpp>
#include <nen/client/hosts_file.hpp>
#include <nen/client/http_options.hpp>
#include <nen/client/resolver.hpp>
#include <nen/core/assert.hpp>
#include <nen/core/smallest.hpp>
#include <nen/http/redirect.hpp>
#include <nen/http/request_writer.hpp>
#include <nen/http/response_parser.hpp>
#include <nen/http/url.hpp>
#include <nen/io/context.hpp>
#include <nen/io/signal.hpp>
#include <nen/io/stream.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace nen::detail {

/// Where a fetch keeps what it can't do without.
struct fetch_memory {
  std::span<field_ref> table;
  std::span<char> head;     // of the answer, and its trailers
  std::span<char> body;     // of the answer; before it comes, the request's head
  std::span<char> urls[2];  // the one that is asked for, and room for where it redirects to
};

class fetch {
 public:
  static constexpr std::uint32_t interim_max = 16;

  /// How far an answer is read.
  enum class goal : std::uint8_t { head, part, end };

  /// Takes the URL over, so that it may be a temporary one.
  /// @param gathers  the whole body is read at once and kept
  fetch(const fetch_memory& memory, context& ctx, const http::request& asked, bool gathers) noexcept
      : memory_(memory), context_(&ctx), asked_(asked), gathers_(gathers), method_(asked.method) {
    const std::string_view text = asked.url.substr(0, asked.url.find('#'));
    const bool fits = text.size() <= memory.urls[0].size();
    if (!fits) fail(http::fetch_error::bad_url);
    asked_.url = {memory.urls[0].data(), fits ? text.size() : 0};
    text.copy(memory.urls[0].data(), asked_.url.size());
  }
  fetch(const fetch&) = delete;
  fetch& operator=(const fetch&) = delete;
  ~fetch() { drop_connection(); }

  // The request, from the URL to its last byte.

  /// Its time begins.
  inline void begin() noexcept;
  /// @returns  false when the host is a name that somebody has to be asked for
  inline bool find_address(const hosts_file& hosts) noexcept;
  inline void resolved_as(resolve_outcome how) noexcept;
  /// Everything begins again but for the time: the next request, or the same once more.
  inline void begin_exchange() noexcept;
  inline void connected(tcp::lease&& connection) noexcept;
  inline void wrote(tcp::outcome how) noexcept;
  /// What the source gave.
  /// @returns  what goes in front of it
  inline std::string_view frame(const std::optional<std::string_view>& part) noexcept;
  inline void all_sent() noexcept;

  std::string_view first_bytes() const noexcept { return first_bytes_; }
  bool has_more_to_send() const noexcept { return !is_sent_; }
  bool can_send() const noexcept { return is_fine() && !cannot_send_ && !is_sent_; }
  bool expects() const noexcept { return has_body() && asked_.options.expect_continue.count() > 0; }

  // The answer.

  /// Reads what is there.
  /// @returns  true when more bytes are needed; else the goal is reached, or there is an error
  inline bool needs_bytes(goal to) noexcept;
  inline void take(const tcp::read_result& got) noexcept;
  /// The part that the goal was.
  std::string_view part() const noexcept { return part_; }

  /// True when the same request is to be sent again, on a new connection.
  inline bool tries_again() noexcept;
  /// True when another request is to be sent: there is a redirection.
  inline bool follows() noexcept;
  /// Gives the connection back, or closes it, if it isn't needed any more.
  inline void end_exchange() noexcept;

  // How much time there is, in milliseconds; 0: no limit.
  inline std::uint32_t within(std::uint32_t ms) const noexcept;
  std::uint32_t within(std::chrono::milliseconds most) const noexcept {
    return within(to_milliseconds(most));
  }
  inline std::uint32_t read_time() const noexcept;
  std::uint32_t bytes_time() const noexcept { return within(options().bytes_timeout); }
  std::uint32_t connect_time() const noexcept {
    const std::uint32_t limit = within(options().connect_timeout);
    return limit != 0 ? limit : to_milliseconds(std::chrono::hours(20 * 24));
  }

  bool is_fine() const noexcept { return error_ == http::fetch_error::none; }
  bool is_complete() const noexcept { return is_complete_; }
  bool gathers() const noexcept { return gathers_; }
  bool has_head() const noexcept { return has_head_; }
  bool wants_fresh() const noexcept { return is_retry_; }
  http::fetch_error error() const noexcept { return error_; }
  response_fault fault() const noexcept { return fault_; }
  received_response message() const noexcept {
    return parser_.message({memory_.body.data(), body_bytes_});
  }
  const http::options& options() const noexcept { return asked_.options; }
  const http::request& asked() const noexcept { return asked_; }
  const url& to() const noexcept { return to_; }
  std::string_view url_text() const noexcept { return asked_.url; }
  resolved& addresses() noexcept { return addresses_; }
  tcp::stream& connection() noexcept { return *connection_; }
  context& ctx() const noexcept { return *context_; }
  signal_wait wait_for(signal& which, std::uint32_t ms) noexcept {
    return {which, *context_->host().timers, context_->now_ms(), ms};
  }
  signal go_ahead{};  ///< set by an interim answer that asks for the body
  signal sent{};      ///< set when all of the request was written

  void fail(http::fetch_error why) noexcept {
    if (is_fine()) error_ = why;
  }
  void fail_by_time(http::fetch_error otherwise) noexcept {
    fail(is_over() ? http::fetch_error::deadline_passed : otherwise);
  }

 private:
  bool is_over() const noexcept {
    return has_deadline_ && !tick_before(context_->now_ms(), until_);
  }
  bool has_body() const noexcept { return !drops_body_ && (!asked_.body.empty() || asked_.source); }
  inline bool is_dropped(std::string_view name) const noexcept;
  inline void write_head() noexcept;
  inline void start_parser() noexcept;
  inline bool read_head() noexcept;
  inline bool head_came() noexcept;
  inline void look_for_redirect(const received_response& m) noexcept;
  inline void take_part(std::string_view content) noexcept;
  inline void reject(response_fault fault) noexcept;
  inline bool has_content() const noexcept;
  void drop_connection() noexcept {
    if (connection_) connection_->abort();
    connection_ = tcp::lease(tcp::outcome::closed);
  }

  fetch_memory memory_;
  context* context_;
  http::request asked_;
  bool gathers_;
  nen::method method_;
  url to_{};
  tick until_ = 0;       // valid with a deadline
  tick head_until_ = 0;  // valid when all is sent, with a head_timeout
  resolved addresses_;
  tcp::lease connection_{tcp::outcome::closed};
  std::string_view first_bytes_;  // the request's head, and a short body
  std::uint64_t source_bytes_ = 0;
  char chunk_line_[24] = {};

  response_parser parser_{};
  char* at_ = nullptr;  // what the last read gave, and nobody has used
  char* end_ = nullptr;
  std::size_t head_used_ = 0;
  std::size_t body_bytes_ = 0;
  std::string_view part_;
  std::size_t discarded_ = 0;
  redirect_step next_{};
  std::uint32_t redirects_ = 0;
  std::uint32_t interims_ = 0;
  http::fetch_error error_ = http::fetch_error::none;
  response_fault fault_ = response_fault::none;
  std::uint8_t which_url_ = 0;

  // Each is true exactly when …
  bool has_deadline_ = false;  // … it has to end in time
  bool is_sent_ = false;       // … all of the request was written
  bool cannot_send_ = false;   // … the connection takes no more; the answer may say why
  bool has_head_ = false;      // … the head of an answer that is not an interim one came
  bool is_complete_ = false;   // … the answer's last byte was read
  bool discards_ = false;      // … the answer is a redirection that is followed
  bool is_reused_ = false;     // … somebody used the connection before
  bool is_retry_ = false;      // … the request is sent for the second time
  bool drops_body_ = false;    // … a redirection made a reading request of it
  bool has_moved_ = false;     // … a redirection led to another origin
};

}  // namespace nen::detail

#include <nen/client/http_fetch.ipp>
