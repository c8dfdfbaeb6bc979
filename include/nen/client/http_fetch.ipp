// client, L3: how a fetch makes its request, and what it makes of the bytes that come.
#pragma once

namespace nen::detail {

// ---- the request ----

inline void fetch::begin() noexcept {
  const std::uint32_t deadline = to_milliseconds(options().deadline);
  has_deadline_ = deadline != 0;
  until_ = context_->now_ms() + deadline;
  if (method_ == method::connect) fail(http::fetch_error::bad_request);  // no HTTP follows it
  if (!is_fine()) return;
  const url_result parsed = parse_url(asked_.url);
  to_ = parsed.value;
  if (parsed.fault != url_fault::none && parsed.fault != url_fault::unsupported_scheme)
    return fail(http::fetch_error::bad_url);
  if (parsed.fault != url_fault::none || to_.scheme != url_scheme::http)
    fail(http::fetch_error::unsupported_scheme);
}

inline bool fetch::find_address(const hosts_file& hosts) noexcept {
  addresses_.clear();
  if (options().connect_to != nullptr && !has_moved_) return addresses_.add(*options().connect_to);
  if (resolve_numeric(to_.host, to_.port, addresses_)) return true;
  hosts.find(to_.host, to_.port, addresses_);
  return !addresses_.empty();
}

inline void fetch::resolved_as(resolve_outcome how) noexcept {
  switch (how) {
    case resolve_outcome::ok:
      if (addresses_.empty()) fail(http::fetch_error::unknown_host);
      return;
    case resolve_outcome::unknown:
      return fail(http::fetch_error::unknown_host);
    case resolve_outcome::timed_out:
      return fail_by_time(http::fetch_error::connect_timed_out);
    case resolve_outcome::overloaded:
      return fail(http::fetch_error::no_connection);
  }
}

inline void fetch::begin_exchange() noexcept {
  if (!is_fine()) return;
  is_sent_ = cannot_send_ = has_head_ = is_complete_ = discards_ = is_reused_ = false;
  at_ = end_ = nullptr;
  body_bytes_ = discarded_ = 0;
  source_bytes_ = 0;
  interims_ = 0;
  fault_ = response_fault::none;
  go_ahead.is_set = sent.is_set = false;
  start_parser();
  write_head();
}

/// What was meant for another server, and what described a body that is not sent any more.
inline bool fetch::is_dropped(std::string_view name) const noexcept {
  constexpr std::string_view about_content = "content-";
  constexpr std::string_view credentials[] = {"authorization", "cookie", "proxy-authorization"};
  if (drops_body_ && equals_ignoring_case(name.substr(0, about_content.size()), about_content))
    return true;
  for (const std::string_view each : credentials)
    if (has_moved_ && equals_ignoring_case(name, each)) return true;
  return false;
}

inline void fetch::write_head() noexcept {
  request_writer head(memory_.body);
  head.start(method_, to_, {.user_agent = options().user_agent});
  for (const field& f : options().fields)
    if (!is_dropped(f.name)) head.field(f.name, f.value);
  if (has_body() && !asked_.content_type.empty()) head.field("Content-Type", asked_.content_type);
  if (expects()) head.field("Expect", "100-continue");
  request_fault fault;
  if (!has_body()) {
    fault = head.finish();
  } else if (!asked_.source) {
    fault = head.finish(asked_.body.size());
  } else {
    fault = asked_.source_bytes ? head.finish(*asked_.source_bytes) : head.finish_chunked();
  }
  if (fault != request_fault::none) return fail(http::fetch_error::bad_request);
  first_bytes_ = head.text();
  is_sent_ = !has_body();
  // A short body goes along: nobody has to read while it is written, or write while it is read.
  constexpr std::size_t short_bytes = 8 * KiB;
  if (is_sent_ || asked_.source || expects() || asked_.body.size() > short_bytes ||
      asked_.body.size() > memory_.body.size() - first_bytes_.size())
    return;
  std::memcpy(memory_.body.data() + first_bytes_.size(), asked_.body.data(), asked_.body.size());
  first_bytes_ = {memory_.body.data(), first_bytes_.size() + asked_.body.size()};
  is_sent_ = true;
}

inline void fetch::connected(tcp::lease&& connection) noexcept {
  connection_ = std::move(connection);
  is_reused_ = connection_ && connection_.is_reused();
  switch (connection_.status()) {
    case tcp::outcome::ok:
      return;
    case tcp::outcome::timed_out:
      return fail_by_time(http::fetch_error::connect_timed_out);
    case tcp::outcome::refused:
    case tcp::outcome::reset:
      return fail(http::fetch_error::refused);
    case tcp::outcome::unreachable:
      return fail(http::fetch_error::unreachable);
    case tcp::outcome::no_slot:
    case tcp::outcome::no_socket:
      return fail(http::fetch_error::no_connection);
    case tcp::outcome::finished:
    case tcp::outcome::closed:
      return fail(http::fetch_error::stopped);
  }
}

/// A server that doesn't want the rest may have said so before it closed, so a connection that
/// takes no more is read on.
inline void fetch::wrote(tcp::outcome how) noexcept {
  if (how == tcp::outcome::timed_out || is_over())
    return fail_by_time(http::fetch_error::bytes_timed_out);
  if (how != tcp::outcome::ok) cannot_send_ = true;
}

inline std::string_view fetch::frame(const std::optional<std::string_view>& part) noexcept {
  if (!part) fail(http::fetch_error::source_failed);
  if (!is_fine()) return {};
  const bool is_end = part->empty();
  const bool is_first = source_bytes_ == 0;
  source_bytes_ += part->size();
  if (asked_.source_bytes) {
    const std::uint64_t said = *asked_.source_bytes;
    if (is_end ? source_bytes_ != said : source_bytes_ > said)
      fail(http::fetch_error::source_failed);
    return {};
  }
  // The line behind a chunk is written in front of the next one.
  char* to = chunk_line_;
  const auto put = [&](std::string_view text) {
    std::memcpy(to, text.data(), text.size());
    to += text.size();
  };
  if (!is_first) put("\r\n");
  int digits = 1;
  while (digits < 16 && part->size() >> (4 * digits) != 0) ++digits;
  while (digits-- > 0) *to++ = "0123456789abcdef"[part->size() >> (4 * digits) & 0xf];
  put(is_end ? "\r\n\r\n" : "\r\n");
  return {chunk_line_, static_cast<std::size_t>(to - chunk_line_)};
}

inline void fetch::all_sent() noexcept {
  is_sent_ = true;
  sent.set();
  head_until_ = context_->now_ms() + to_milliseconds(options().head_timeout);
  // Who reads the answer already had no limit but the deadline until now.
  if (stream_wait* const reader = connection_->state()->reader; reader != nullptr && !has_head_)
    if (const std::uint32_t limit = read_time(); limit != 0)
      context_->host().timers->arm(*reader, context_->now_ms() + limit);
}

// ---- time ----

inline std::uint32_t fetch::within(std::uint32_t ms) const noexcept {
  if (!has_deadline_) return ms;
  const std::uint32_t left = is_over() ? 1 : until_ - context_->now_ms();
  return ms == 0 ? left : detail::smallest(ms, left);
}

inline std::uint32_t fetch::read_time() const noexcept {
  if (parser_.has_head()) return bytes_time();
  if (!is_sent_ || options().head_timeout.count() <= 0) return within(0U);
  const tick now = context_->now_ms();
  return within(tick_before(now, head_until_) ? head_until_ - now : 1);
}

// ---- the answer ----

inline void fetch::start_parser() noexcept {
  const auto fields = static_cast<std::uint16_t>(memory_.table.size());
  const std::uint64_t body_max = gathers_ ? memory_.body.size() : ~std::uint64_t{0};
  parser_.start(method_, memory_.head.data(),
                {static_cast<std::uint32_t>(memory_.head.size()), fields, body_max},
                memory_.table.data(), fields);
  head_used_ = 0;
}

inline void fetch::take(const tcp::read_result& got) noexcept {
  switch (got.status) {
    case tcp::outcome::ok:
      at_ = const_cast<char*>(got.bytes.data());  // the parser reads them and no more
      end_ = at_ + got.bytes.size();
      // A server that always has something to say is not waited for, so no timer would find it.
      if (is_over()) fail(http::fetch_error::deadline_passed);
      return;
    case tcp::outcome::finished: {
      const response_result last = parser_.end_of_input();
      if (last.step == response_step::rejected) return reject(last.fault);
      is_complete_ = true;
      return;
    }
    case tcp::outcome::timed_out:
      return fail_by_time(parser_.has_head() ? http::fetch_error::bytes_timed_out
                                             : http::fetch_error::head_timed_out);
    case tcp::outcome::closed:
      return fail(http::fetch_error::stopped);
    case tcp::outcome::reset:
    case tcp::outcome::refused:
    case tcp::outcome::unreachable:
    case tcp::outcome::no_slot:
    case tcp::outcome::no_socket:
      return fail(http::fetch_error::connection_lost);
  }
}

inline bool fetch::needs_bytes(goal to) noexcept {
  part_ = {};
  while (is_fine() && !is_complete_) {
    if (!parser_.has_head()) {
      if (!read_head()) return is_fine();
      continue;
    }
    if (to == goal::head && !discards_ && has_content()) return false;
    const response_result read = parser_.feed(at_, end_);
    at_ += read.consumed;
    switch (read.step) {
      case response_step::need_more:
        return true;
      case response_step::body_part:
        take_part(read.content);
        if (!part_.empty()) return false;
        break;
      case response_step::message_complete:
        is_complete_ = true;
        break;
      case response_step::rejected:
        reject(read.fault);
        break;
      case response_step::head_complete:
        NEN_ASSERT(false);  // it was there already
        break;
    }
  }
  return false;
}

/// True when there may be something to read behind the head.
inline bool fetch::has_content() const noexcept {
  const response_head& head = parser_.head();
  return head.framing != body_framing::none &&
         !(head.framing == body_framing::sized && head.content_length == 0);
}

inline void fetch::take_part(std::string_view content) noexcept {
  if (discards_) {
    discarded_ += content.size();
    // Reading on would cost more than another connection does.
    if (discarded_ > memory_.body.size()) fail(http::fetch_error::body_too_large);
  } else if (gathers_) {
    std::memcpy(memory_.body.data() + body_bytes_, content.data(), content.size());
    body_bytes_ += content.size();
  } else {
    part_ = content;
  }
}

/// The head is gathered where it stays.
/// @returns  false when more bytes are needed, or there is an error
inline bool fetch::read_head() noexcept {
  const auto bytes =
      detail::smallest(static_cast<std::size_t>(end_ - at_), memory_.head.size() - head_used_);
  if (bytes == 0) return false;
  char* const begin = memory_.head.data() + head_used_;
  std::memcpy(begin, at_, bytes);
  const response_result read = parser_.feed(begin, begin + bytes);
  at_ += read.consumed;
  head_used_ += read.consumed;
  if (read.step == response_step::rejected) {
    head_used_ += bytes;  // something came
    reject(read.fault);
  }
  return read.step == response_step::head_complete && head_came();
}

inline bool fetch::head_came() noexcept {
  const received_response m = parser_.message();
  if (m.is_interim()) {
    if (++interims_ > interim_max) {
      fail(http::fetch_error::too_many_interim);
      return false;
    }
    if (m.status() == status::continue_) go_ahead.set();
    start_parser();
    return true;
  }
  if (m.status() == status::switching_protocols) {  // nobody asked for that
    fail(http::fetch_error::bad_answer);
    return false;
  }
  has_head_ = true;
  parser_.trailers_into(memory_.head.data() + head_used_);
  look_for_redirect(m);
  return is_fine();
}

inline void fetch::reject(response_fault fault) noexcept {
  fault_ = fault;
  switch (fault) {
    case response_fault::truncated:
    case response_fault::closed_before_answer:
      return fail(http::fetch_error::connection_lost);
    case response_fault::head_too_large:
    case response_fault::too_many_fields:
      return fail(http::fetch_error::head_too_large);
    case response_fault::body_too_large:
      return fail(http::fetch_error::body_too_large);
    case response_fault::none:
    case response_fault::malformed_head:
    case response_fault::unsupported_version:
    case response_fault::bad_framing:
    case response_fault::unsupported_coding:
    case response_fault::bad_chunk:
      return fail(http::fetch_error::bad_answer);
  }
}

// ---- what comes after it ----

inline void fetch::look_for_redirect(const received_response& m) noexcept {
  if (options().redirects_max == 0) return;
  next_ = decide_redirect(method_, m.status(), m.field("Location"), to_, redirects_,
                          options().redirects_max, memory_.urls[1 - which_url_]);
  switch (next_.verdict) {
    case redirect_verdict::stop:
      return;
    case redirect_verdict::fault:
      if (next_.fault == redirect_fault::too_many)
        return fail(http::fetch_error::too_many_redirects);
      return fail(next_.why == url_fault::unsupported_scheme ? http::fetch_error::unsupported_scheme
                                                             : http::fetch_error::bad_redirect);
    case redirect_verdict::follow:
      break;
  }
  if (next_.to.scheme != url_scheme::http) return fail(http::fetch_error::unsupported_scheme);
  if (has_body() && asked_.source && !next_.drop_body)
    return fail(http::fetch_error::body_not_repeatable);
  discards_ = true;
}

inline bool fetch::tries_again() noexcept {
  const bool is_repeatable =
      method_ != method::post && method_ != method::patch && method_ != method::connect;
  const bool came_nothing = head_used_ == 0 && interims_ == 0;
  if (error_ != http::fetch_error::connection_lost || !is_reused_ || is_retry_ || !came_nothing ||
      !options().retry || !is_repeatable || asked_.source)
    return false;
  drop_connection();
  error_ = http::fetch_error::none;
  is_retry_ = true;
  return true;
}

/// What went wrong behind the head of a redirection is of no interest, unless there is no time.
inline bool fetch::follows() noexcept {
  if (!discards_ || error_ == http::fetch_error::deadline_passed ||
      error_ == http::fetch_error::stopped)
    return false;
  end_exchange();
  error_ = http::fetch_error::none;
  ++redirects_;
  method_ = next_.method;
  to_ = next_.to;
  which_url_ = static_cast<std::uint8_t>(1 - which_url_);
  const char* const end = to_.query.data() + to_.query.size();
  asked_.url = {memory_.urls[which_url_].data(), end};
  drops_body_ = drops_body_ || next_.drop_body;
  has_moved_ = has_moved_ || next_.drop_credentials;
  is_retry_ = false;
  return true;
}

inline void fetch::end_exchange() noexcept {
  if (!is_fine()) return drop_connection();
  if (!is_complete_) return;
  if (is_sent_ && !cannot_send_ && at_ == end_ && parser_.keep_alive()) {
    connection_->use_all();
    connection_.keep();
  } else if (is_sent_) {
    connection_ = tcp::lease(tcp::outcome::closed);
  } else {
    drop_connection();
  }
}

}  // namespace nen::detail
