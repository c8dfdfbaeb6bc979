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

/// What llhttp calls. It finds the parser again through llhttp's data pointer.
struct parser_callbacks {
  static request_parser& self(llhttp_t* parser) {
    return *static_cast<request_parser*>(parser->data);
  }
  static llhttp_settings_t make_settings() {
    llhttp_settings_t settings;
    llhttp_settings_init(&settings);
    settings.on_url = [](llhttp_t* p, const char* at, std::size_t size) {
      return self(p).on_target(at, size);
    };
    settings.on_header_field = [](llhttp_t* p, const char* at, std::size_t size) {
      return self(p).on_name(at, size);
    };
    settings.on_header_value = [](llhttp_t* p, const char* at, std::size_t size) {
      return self(p).on_value(at, size);
    };
    settings.on_headers_complete = [](llhttp_t* p) { return self(p).on_head_complete(); };
    return settings;
  }
  static llhttp_t make_pristine(const llhttp_settings_t* settings) {
    llhttp_t parser;
    llhttp_init(&parser, HTTP_REQUEST, settings);
    return parser;
  }
};

inline const llhttp_settings_t parser_settings = parser_callbacks::make_settings();
/// Copied at each start(): cheaper than llhttp_reset, and no state of an earlier message survives.
inline const llhttp_t pristine_parser = parser_callbacks::make_pristine(&parser_settings);

}  // namespace detail

inline void request_parser::start(char* base, const parse_limits& limits, field_ref* table,
                                  std::uint16_t fields) {
  NEN_ASSERT(limits.head_bytes_max <= 65'535);
  llhttp_ = detail::pristine_parser;
  head_ = {};
  limits_ = limits;
  base_ = next_ = end_ = base;
  table_ = table;
  body_ = {};
  stop_ = 0;
  table_size_ = fields < limits.fields_max ? fields : limits.fields_max;
  answer_ = detail::no_fault;
  phase_ = phase::head;
  too_many_fields_ = folded_ = false;
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
  NEN_ASSERT(begin == next_);
  // llhttp never sees a byte beyond the limit, so that where the input was cut cannot decide
  // whether an error behind the limit or the limit itself is reported.
  const auto room = static_cast<std::ptrdiff_t>(limits_.head_bytes_max);
  end_ = end - base_ > room ? base_ + room : end;
  llhttp_.data = this;
  const llhttp_errno_t result =
      llhttp_execute(&llhttp_, begin, static_cast<std::size_t>(end_ - begin));
  if (result == HPE_OK) return need_more(begin, end_);
  char* const at = base_ + (llhttp_get_error_pos(&llhttp_) - base_);
  if (result == HPE_PAUSED) return finish_head(begin, at);
  if (answer_ != detail::no_fault) return reject(answer_);
  stop_ = static_cast<std::uint32_t>(at - base_);
  phase_ = phase::judging;
  return judge(begin, end);
}

/// Finds the status for what llhttp refused. Its own error codes are not used: they differ between
/// versions, and say nothing of a method or a version that goes on behind the byte refused.
inline parse_result request_parser::judge(char* begin, char* end) {
  const auto room = static_cast<std::ptrdiff_t>(limits_.head_bytes_max);
  end_ = end - base_ > room ? base_ + room : end;
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
  if (end - base_ >= static_cast<std::ptrdiff_t>(limits_.head_bytes_max)) {
    return reject(status::request_header_fields_too_large);
  }
  next_ = end;
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
  const std::size_t count = std::size_t{head_.field_count} + head_.trailer_count;
  NEN_ASSERT(count <= fields && &to != this);
  to = *this;
  // llhttp keeps no pointer into the input between calls: at each end it hands out the piece of an
  // open span, and at the next begin it takes that begin for the span's.
  to.base_ = new_base;
  to.next_ = new_base + (next_ - base_);
  to.table_ = table;
  to.table_size_ = fields < limits_.fields_max ? fields : limits_.fields_max;
  to.body_.rebase(base_, new_base);
  std::memcpy(table, table_, count * sizeof(field_ref));
}

inline int request_parser::on_target(const char* at, std::size_t size) {
  if (head_.target_size == 0) head_.target_begin = offset(at);
  if (size > static_cast<std::size_t>(limits_.target_bytes_max - head_.target_size)) return -1;
  head_.target_size = static_cast<std::uint16_t>(head_.target_size + size);
  return 0;
}

inline int request_parser::on_name(const char* at, std::size_t size) {
  const std::uint16_t begin = offset(at);
  if (head_.field_count > 0) {
    // A name is followed by a colon at least, so a piece without a gap goes on with the last name.
    field_ref& last = table_[head_.field_count - 1];
    if (last.name_begin + last.name_size == begin) {
      last.name_size = static_cast<std::uint16_t>(last.name_size + size);
      return 0;
    }
  }
  if (head_.field_count == table_size_) {
    // Judged when the head is complete: a fault in the name would else be found or not found first,
    // according to where the input was cut.
    too_many_fields_ = true;
    return 0;
  }
  table_[head_.field_count] = {begin, static_cast<std::uint16_t>(size), 0, 0};
  ++head_.field_count;
  return 0;
}

inline int request_parser::on_value(const char* at, std::size_t size) {
  if (too_many_fields_ || head_.field_count == 0) return 0;
  field_ref& last = table_[head_.field_count - 1];
  const std::uint16_t begin = offset(at);
  if (last.value_size == 0) last.value_begin = begin;
  if (last.value_begin + last.value_size != begin) folded_ = true;
  last.value_size = static_cast<std::uint16_t>(last.value_size + size);
  return 0;
}

inline int request_parser::on_head_complete() {
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
