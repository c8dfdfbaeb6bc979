// The rules of RFC 9110 and RFC 9112 for a whole response head, whatever parser found its parts.
// http, L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nen/core/ascii.hpp>
#include <nen/http/chunk_decoder.hpp>
#include <nen/http/field_rules.hpp>
#include <nen/http/fields.hpp>
#include <nen/http/method.hpp>
#include <nen/http/response_head.hpp>
#include <nen/http/response_result.hpp>
#include <nen/http/status.hpp>
#include <string_view>

namespace nen::detail {

/// What can be said of a status line whose end may not have come yet.
struct status_line_verdict {
  enum class kind : std::uint8_t { fine, need_more, rejected };
  kind is;
  response_fault fault;  ///< valid when rejected
};

/// Finds the first thing wrong with a status line up to its code (RFC 9112 §2.3, §4). The answer
/// depends on the line's bytes alone, and once it is given, more bytes do not change it.
/// @param base  the message's first byte
/// @param end   the end of what has come
constexpr status_line_verdict judge_status_line(const char* base, const char* end) {
  using kind = status_line_verdict::kind;
  constexpr status_line_verdict malformed{kind::rejected, response_fault::malformed_head};
  constexpr std::string_view pattern = "HTTP/#.# ###";  // '#' stands for a digit
  constexpr std::size_t major = 5;
  constexpr std::size_t minor = 7;
  constexpr std::size_t class_of_code = 9;

  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (base + i == end) return {kind::need_more, {}};
    const char c = base[i];
    if (pattern[i] == '#' ? !is_digit(c) : c != pattern[i]) return malformed;
    const bool is_spoken = (i != major || c == '1') && (i != minor || c == '0' || c == '1');
    // Said at once: a version without a minor number is another one too.
    if (!is_spoken) return {kind::rejected, response_fault::unsupported_version};
    if (i == class_of_code && c == '0') return malformed;  // there is no such class
  }
  return {kind::fine, {}};
}

/// Checks a response's head and fills in what follows from its fields.
class response_checker : field_checker<response_head, response_checker> {
 public:
  /// @param head  field_count is set, the rest is zero
  /// @param base  the message's first byte
  /// @param end   the end of the readable bytes; the head's end is not behind it
  /// @param refs  the field table; white space at the end of values is cut off in it
  response_checker(response_head& head, const char* base, const char* end, field_ref* refs)
      : field_checker(head, base, end, refs) {}

  /// @param of  the method of the request that this answers
  response_fault check(method of) {
    const status_line_verdict line = judge_status_line(base_, end_);
    if (line.is == status_line_verdict::kind::rejected) return line.fault;
    if (!check_status_line()) return response_fault::malformed_head;
    head_.keep_alive = head_.version_minor == 1;
    if (!check_fields()) {
      return bad_framing_ ? response_fault::bad_framing : response_fault::malformed_head;
    }
    if (!has_one_framing()) return response_fault::bad_framing;
    head_.framing = find_framing(of);
    head_.upgrade = wants_upgrade();
    if (head_.framing == body_framing::until_close ||
        head_.framing == body_framing::other_protocol) {
      head_.keep_alive = false;
    }
    // Where no content follows, it does not matter how it would have been coded (§6.1).
    const bool has_coded_content = other_coding_ && head_.framing != body_framing::none &&
                                   head_.framing != body_framing::other_protocol;
    return has_coded_content ? response_fault::unsupported_coding : response_fault::none;
  }

 private:
  friend class field_checker<response_head, response_checker>;

  /// HTTP-version SP status-code [ SP [ reason-phrase ] ] CRLF (RFC 9112 §4). The second SP has to
  /// be there, but servers forget it with the phrase, and nothing hangs on either.
  bool check_status_line() {
    constexpr std::size_t minor = 7;
    constexpr std::size_t code = 9;
    constexpr std::size_t behind_code = 12;
    constexpr std::size_t least = 16;  // with the empty line
    if (end_ - base_ < static_cast<std::ptrdiff_t>(least)) return false;
    const auto digit = [this](std::size_t at) { return base_[at] - '0'; };
    head_.version_minor = static_cast<std::uint8_t>(digit(minor));
    head_.status =
        static_cast<nen::status>(digit(code) * 100 + digit(code + 1) * 10 + digit(code + 2));

    const char* at = base_ + behind_code;
    if (*at == ' ') {
      head_.reason_begin = static_cast<std::uint16_t>(++at - base_);
      while (at != end_ && is_value_char(*at)) ++at;
      head_.reason_size = static_cast<std::uint16_t>(at - base_ - head_.reason_begin);
    }
    if (end_ - at < 2 || at[0] != '\r' || at[1] != '\n') return false;
    at_ = static_cast<std::size_t>(at + 2 - base_);
    return true;
  }

  bool learn(const field_ref& ref) {
    const std::string_view value(base_ + ref.value_begin, ref.value_size);
    bad_framing_ = !learn_framing(base_ + ref.name_begin, ref.name_size, value);
    return !bad_framing_;
  }

  /// RFC 9112 §6.3, in its order; but a 204 to CONNECT opens a tunnel like every 2xx (RFC 9110
  /// §9.3.6).
  body_framing find_framing(method of) const {
    const auto code = static_cast<unsigned>(head_.status);
    const bool is_tunnel = of == method::connect && code / 100 == 2;
    if (is_tunnel || code == 101) return body_framing::other_protocol;
    const bool is_bare = code / 100 == 1 || code == 204 || code == 304;
    if (is_bare || of == method::head) return body_framing::none;
    if (head_.chunked) return body_framing::chunked;
    return head_.has_content_length ? body_framing::sized : body_framing::until_close;
  }

  bool bad_framing_ = false;  ///< true exactly when a field that frames the message is not valid
};

}  // namespace nen::detail
