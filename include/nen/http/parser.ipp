// http, L1: how the request parser works, from llhttp's callbacks to the end of the body.
#pragma once

namespace nen {

namespace detail {

/// Translates llhttp's method.
/// @returns false for one that is not served
inline bool serve(std::uint8_t llhttp_method, method& out) {
  switch (llhttp_method) {
    case HTTP_GET:
      out = method::get;
      return true;
    case HTTP_HEAD:
      out = method::head;
      return true;
    case HTTP_POST:
      out = method::post;
      return true;
    case HTTP_PUT:
      out = method::put;
      return true;
    case HTTP_DELETE:
      out = method::delete_;
      return true;
    case HTTP_OPTIONS:
      out = method::options;
      return true;
    case HTTP_TRACE:
      out = method::trace;
      return true;
    case HTTP_PATCH:
      out = method::patch;
      return true;
    default:
      return false;
  }
}

inline constexpr llhttp_settings_t request_settings =
    head_callbacks<request_parser>::make_settings();
inline const llhttp_t pristine_request_parser =
    head_callbacks<request_parser>::make_pristine(&request_settings);

}  // namespace detail

inline void request_parser::start(char* base, const parse_limits& limits, field_ref* table,
                                  std::uint16_t fields) {
  NEN_ASSERT(limits.head_bytes_max <= 65'535);
  start_head(detail::pristine_request_parser, base, table,
             fields < limits.fields_max ? fields : limits.fields_max);
  head_ = {};
  limits_ = limits;
  body_ = {};
  answer_ = detail::no_fault;
}

inline parse_result request_parser::feed(char* begin, char* end) {
  switch (phase_) {
    case phase::head:
      return feed_head(begin, end);
    case phase::judging:
      return judge(begin, end);
    case phase::body:
      return feed_body(begin, end);
    case phase::rejected:
      return reject(answer_);
    case phase::idle:
    case phase::complete:
      break;
  }
  NEN_ASSERT(phase_ == phase::head);  // Each message needs a start().
  return reject(status::internal_server_error);
}

inline parse_result request_parser::feed_head(char* begin, char* end) {
  const detail::head_progress progress = execute(begin, end, limits_.head_bytes_max);
  if (progress == detail::head_progress::need_more) return need_more(begin, end_);
  char* const at = stopped_at();
  if (progress == detail::head_progress::complete) return finish_head(begin, at);
  if (answer_ != detail::no_fault) return reject(answer_);
  stop_ = static_cast<std::uint32_t>(at - base_);
  phase_ = phase::judging;
  return judge(begin, end);
}

/// Finds the status for what llhttp refused. Its own error codes are not used: they differ between
/// versions, and say nothing of a method or a version that goes on behind the byte refused.
inline parse_result request_parser::judge(char* begin, char* end) {
  limit_end(end, limits_.head_bytes_max);
  const detail::line_verdict line =
      detail::judge_request_line(base_, end_, base_ + stop_, limits_.target_bytes_max);
  switch (line.is) {
    case detail::line_verdict::kind::fine:
      break;
    case detail::line_verdict::kind::need_more:
      return need_more(begin, end_);
    case detail::line_verdict::kind::rejected:
      return reject(line.answer);
  }
  return reject(status::bad_request);
}

/// Everything up to `end` belongs to the head, and the head is not complete.
inline parse_result request_parser::need_more(char* begin, char* end) {
  if (!take_all(end, limits_.head_bytes_max)) {
    return reject(status::request_header_fields_too_large);
  }
  return {parse_status::need_more, {}, static_cast<std::size_t>(end - begin)};
}

inline parse_result request_parser::finish_head(char* begin, char* head_end) {
  NEN_ASSERT(static_cast<std::uint32_t>(head_end - base_) == head_.head_bytes);
  next_ = head_end;
  if (!head_.chunked && head_.content_length == 0) return complete(begin, head_end);
  body_.expect_at(head_end);
  phase_ = phase::body;
  return {parse_status::head_complete, {}, static_cast<std::size_t>(head_end - begin)};
}

inline parse_result request_parser::complete(char* begin, const char* end) {
  phase_ = phase::complete;
  return {parse_status::message_complete, {}, static_cast<std::size_t>(end - begin)};
}

inline parse_result request_parser::reject(nen::status answer) {
  answer_ = answer;
  phase_ = phase::rejected;
  return {parse_status::rejected, answer, 0};
}

inline parse_result request_parser::feed_body(char* begin, char* end) {
  const parse_result result = body_.feed(begin, end, head_, limits_);
  switch (result.status) {
    case parse_status::message_complete:
      if (!body_.trailers().empty() && !list_trailers()) [[unlikely]]
        return reject(status::request_header_fields_too_large);
      phase_ = phase::complete;
      break;
    case parse_status::rejected:
      return reject(result.answer);
    case parse_status::need_more:
    case parse_status::head_complete:
      break;
  }
  return result;
}

inline void request_parser::body_into(char* data, std::uint64_t capacity) {
  NEN_ASSERT(has_head() && body_.size() <= capacity);
  if (capacity < limits_.body_bytes_max) limits_.body_bytes_max = capacity;
  body_.move_into(data);
}

inline void request_parser::trailers_into(char* lines) {
  NEN_ASSERT(has_head());
  body_.move_trailers_into(lines);
}

/// Puts the trailer fields behind the head's into the table.
/// @returns  false when there are too many
inline bool request_parser::list_trailers() {
  const auto room = static_cast<std::uint16_t>(table_size_ - head_.field_count);
  return detail::list_trailers(body_.trailers(), table_ + head_.field_count, room,
                               head_.trailer_count);
}

inline void request_parser::move_to(request_parser& to, char* new_base, field_ref* table,
                                    std::uint16_t fields) const {
  const std::size_t count = std::size_t{field_count_} + head_.trailer_count;
  NEN_ASSERT(count <= fields && &to != this);
  to = *this;
  to.move_head(*this, new_base, table, fields < limits_.fields_max ? fields : limits_.fields_max,
               count);
  to.body_.rebase(base_, new_base);
}

inline int request_parser::on_target(const char* at, std::size_t size) {
  if (head_.target_size == 0) head_.target_begin = offset(at);
  if (size > static_cast<std::size_t>(limits_.target_bytes_max - head_.target_size)) return -1;
  head_.target_size = static_cast<std::uint16_t>(head_.target_size + size);
  return 0;
}

inline int request_parser::on_head_complete() {
  head_.field_count = field_count_;
  const bool is_served = detail::serve(llhttp_.method, head_.method);
  if (!is_served || too_many_fields_ || folded_) {
    const detail::line_verdict line =
        detail::judge_request_line(base_, end_, end_, limits_.target_bytes_max);
    if (line.is == detail::line_verdict::kind::rejected) {
      answer_ = line.answer;
    } else {
      answer_ = folded_ ? status::bad_request : status::request_header_fields_too_large;
    }
    return -1;
  }
  detail::head_checker checker(head_, base_, end_, table_);
  answer_ = checker.check(limits_.target_bytes_max);
  return answer_ == detail::no_fault ? static_cast<int>(HPE_PAUSED) : -1;
}

}  // namespace nen
