// http, L1: how the response parser works, from llhttp's callbacks to the end of the body.
#pragma once

namespace nen {

namespace detail {

inline constexpr llhttp_settings_t response_settings =
    head_callbacks<response_parser>::make_settings();

}  // namespace detail

inline void response_parser::start(method answered, char* base, const response_limits& limits,
                                   field_ref* table, std::uint16_t fields) {
  NEN_ASSERT(limits.head_bytes_max <= 65'535);
  // Here and not in the namespace, where every server would compile the whole parser for it.
  static const llhttp_t pristine =
      detail::head_callbacks<response_parser>::make_pristine(&detail::response_settings);
  start_head(pristine, base, table, fields < limits.fields_max ? fields : limits.fields_max);
  answered_ = answered;
  fault_ = response_fault::none;
  head_ = {};
  limits_ = limits;
  content_bytes_ = 0;
  chunks_ = {};
  trailers_ = nullptr;
  trailer_bytes_ = 0;
}

inline response_result response_parser::feed(char* begin, char* end) {
  switch (phase_) {
    case phase::head:
      return feed_head(begin, end);
    case phase::judging:
      return judge(begin, end);
    case phase::body:
      return feed_body(begin, end);
    case phase::rejected:
      return reject(fault_);
    case phase::idle:
    case phase::complete:
      break;
  }
  NEN_ASSERT(phase_ == phase::head);  // Each message needs a start().
  return reject(response_fault::malformed_head);
}

inline response_result response_parser::end_of_input() {
  switch (phase_) {
    case phase::head:
    case phase::judging:
      return end_of_head();
    case phase::body:
      if (head_.framing == body_framing::until_close) return complete(0);
      return feed_body(nullptr, nullptr).step == response_step::message_complete
                 ? complete(0)
                 : reject(response_fault::truncated);
    case phase::complete:
      return complete(0);
    case phase::rejected:
      return reject(fault_);
    case phase::idle:
      break;
  }
  NEN_ASSERT(phase_ != phase::idle);  // Each message needs a start().
  return reject(response_fault::closed_before_answer);
}

/// What is wrong with the bytes that came goes before their being too few.
inline response_result response_parser::end_of_head() {
  if (at_start()) return reject(response_fault::closed_before_answer);
  const detail::status_line_verdict line = detail::judge_status_line(base_, next_);
  const bool is_wrong = line.is == detail::status_line_verdict::kind::rejected;
  return reject(is_wrong ? line.fault : response_fault::truncated);
}

inline response_result response_parser::feed_head(char* begin, char* end) {
  NEN_ASSERT(begin == next_);
  // llhttp would pass over empty lines, which stand in front of requests only (RFC 9112 §2.2).
  if (at_start() && begin != end && *begin != 'H') return reject(response_fault::malformed_head);
  const detail::head_progress progress = execute(begin, end, limits_.head_bytes_max);
  if (progress == detail::head_progress::need_more) return need_more(begin, end_);
  char* const at = stopped_at();
  if (progress == detail::head_progress::complete) return finish_head(begin, at);
  if (fault_ != response_fault::none) return reject(fault_);
  fault_ = fault_of_llhttp();
  phase_ = phase::judging;
  return judge(begin, end);
}

/// llhttp looks after the framing too. Which field it did not like cannot be seen in the bytes
/// alone, since the one before it may be what makes it wrong; of its errors, those that name these
/// fields mean the same in all versions.
inline response_fault response_parser::fault_of_llhttp() const {
  const llhttp_errno_t error = llhttp_get_errno(&llhttp_);
  const bool is_framing = error == HPE_INVALID_CONTENT_LENGTH ||
                          error == HPE_UNEXPECTED_CONTENT_LENGTH ||
                          error == HPE_INVALID_TRANSFER_ENCODING;
  return is_framing ? response_fault::bad_framing : response_fault::malformed_head;
}

/// Finds the fault for what llhttp refused. A version may go on behind the byte refused.
inline response_result response_parser::judge(char* begin, char* end) {
  limit_end(end, limits_.head_bytes_max);
  const detail::status_line_verdict line = detail::judge_status_line(base_, end_);
  switch (line.is) {
    case detail::status_line_verdict::kind::fine:
      break;
    case detail::status_line_verdict::kind::need_more:
      return need_more(begin, end_);
    case detail::status_line_verdict::kind::rejected:
      return reject(line.fault);
  }
  return reject(fault_);
}

/// Everything up to `end` belongs to the head, and the head is not complete.
inline response_result response_parser::need_more(char* begin, char* end) {
  if (!take_all(end, limits_.head_bytes_max)) return reject(response_fault::head_too_large);
  return {response_step::need_more, {}, static_cast<std::size_t>(end - begin), {}};
}

inline int response_parser::on_head_complete() {
  head_.field_count = field_count_;
  if (too_many_fields_ || folded_) {
    const detail::status_line_verdict line = detail::judge_status_line(base_, end_);
    if (line.is == detail::status_line_verdict::kind::rejected) {
      fault_ = line.fault;
    } else {
      fault_ = folded_ ? response_fault::malformed_head : response_fault::too_many_fields;
    }
    return -1;
  }
  fault_ = detail::response_checker(head_, base_, end_, table_).check(answered_);
  return fault_ == response_fault::none ? static_cast<int>(HPE_PAUSED) : -1;
}

inline response_result response_parser::finish_head(char* begin, const char* head_end) {
  NEN_ASSERT(static_cast<std::uint32_t>(head_end - base_) == head_.head_bytes);
  phase_ = phase::body;
  return {response_step::head_complete, {}, static_cast<std::size_t>(head_end - begin), {}};
}

inline response_result response_parser::complete(std::size_t consumed) {
  phase_ = phase::complete;
  return {response_step::message_complete, {}, consumed, {}};
}

inline response_result response_parser::reject(response_fault fault) {
  fault_ = fault;
  phase_ = phase::rejected;
  return {response_step::rejected, fault, 0, {}};
}

inline response_result response_parser::feed_body(const char* begin, const char* end) {
  switch (head_.framing) {
    case body_framing::none:
    case body_framing::other_protocol:
      return complete(0);
    case body_framing::sized:
      return feed_sized(begin, end);
    case body_framing::chunked:
      return feed_chunks(begin, end);
    case body_framing::until_close:
      break;
  }
  const std::uint64_t room = limits_.body_bytes_max - content_bytes_;
  if (room == 0 && begin != end) return reject(response_fault::body_too_large);
  return part(begin, end, room);
}

/// Hands out what is there, up to `most` bytes.
inline response_result response_parser::part(const char* begin, const char* end,
                                             std::uint64_t most) {
  if (begin == end) return {response_step::need_more, {}, 0, {}};
  const auto available = static_cast<std::uint64_t>(end - begin);
  const auto size = static_cast<std::size_t>(available < most ? available : most);
  content_bytes_ += size;
  return {response_step::body_part, {}, size, {begin, size}};
}

inline response_result response_parser::feed_sized(const char* begin, const char* end) {
  if (head_.content_length > limits_.body_bytes_max) return reject(response_fault::body_too_large);
  const std::uint64_t missing = head_.content_length - content_bytes_;
  return missing == 0 ? complete(0) : part(begin, end, missing);
}

inline response_result response_parser::feed_chunks(const char* begin, const char* end) {
  // Counted with the head, so that where that was kept there is room for the trailers behind it.
  const std::uint32_t extra_max = limits_.head_bytes_max - head_.head_bytes;
  const char* at = begin;
  for (;;) {
    const chunk_event event = chunks_.next(at, end, extra_max);
    const auto consumed = static_cast<std::size_t>(at - begin);
    switch (event) {
      case chunk_event::need_more:
        return {response_step::need_more, {}, consumed, {}};
      case chunk_event::chunk:
        if (chunks_.chunk_left() > limits_.body_bytes_max - content_bytes_) {
          return reject(response_fault::body_too_large);
        }
        break;
      case chunk_event::data: {
        const std::size_t size = chunks_.data_size();
        content_bytes_ += size;
        return {response_step::body_part, {}, consumed, {at - size, size}};
      }
      case chunk_event::trailer:
        gather_trailer(at - chunks_.data_size(), chunks_.data_size());
        break;
      case chunk_event::done:
        if (!list_trailers()) return reject(response_fault::too_many_fields);
        return complete(consumed);
      case chunk_event::malformed:
        return reject(response_fault::bad_chunk);
      case chunk_event::extra_full:
        return reject(response_fault::head_too_large);
    }
  }
}

inline void response_parser::trailers_into(char* lines) {
  NEN_ASSERT(has_head() && content_bytes_ == 0 && trailer_bytes_ == 0);
  trailers_ = lines;
}

inline void response_parser::gather_trailer(const char* piece, std::size_t size) {
  if (trailers_ == nullptr) return;
  std::memcpy(trailers_ + trailer_bytes_, piece, size);
  trailer_bytes_ += static_cast<std::uint32_t>(size);
}

/// Puts the trailer fields behind the head's into the table.
/// @returns  false when there are too many
inline bool response_parser::list_trailers() {
  if (trailer_bytes_ == 0) return true;
  const auto room = static_cast<std::uint16_t>(table_size_ - head_.field_count);
  return detail::list_trailers({trailers_, trailer_bytes_}, table_ + head_.field_count, room,
                               head_.trailer_count);
}

inline void response_parser::move_to(response_parser& to, char* new_base, field_ref* table,
                                     std::uint16_t fields) const {
  const std::size_t count = std::size_t{field_count_} + head_.trailer_count;
  NEN_ASSERT(count <= fields && &to != this);
  to = *this;
  to.move_head(*this, new_base, table, fields < limits_.fields_max ? fields : limits_.fields_max,
               count);
}

}  // namespace nen
