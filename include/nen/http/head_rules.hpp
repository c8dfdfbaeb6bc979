// The rules of RFC 9110 and RFC 9112 for a whole request head, whatever parser found its parts: it
// measures every gap between the parts, so that nothing lenient gets through. http, L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <nen/core/ascii.hpp>
#include <nen/http/fields.hpp>
#include <nen/http/host.hpp>
#include <nen/http/request_head.hpp>
#include <nen/http/request_line.hpp>
#include <nen/http/status.hpp>
#include <string_view>

namespace nen::detail {

/// No fault: a status that nobody answers with.
inline constexpr status no_fault{};

/// Checks a head and fills in what follows from its fields.
class head_checker {
 public:
  /// @param head  method, target_begin, target_size and field_count are set, the rest is zero
  /// @param base  the message's first byte
  /// @param end   the end of the readable bytes; the head's end is not behind it
  /// @param refs  the field table; white space at the end of values is cut off in it
  head_checker(request_head& head, const char* base, const char* end, field_ref* refs)
      : head_(head), base_(base), end_(end), refs_(refs) {}

  /// @returns no_fault, or the status to answer with; 400 goes before 501 and 417
  status check(std::size_t target_max) {
    if (!check_request_line()) {
      const line_verdict line = judge_request_line(base_, end_, end_, target_max);
      return line.is == line_verdict::kind::rejected ? line.answer : status::bad_request;
    }
    head_.keep_alive = head_.version_minor == 1;
    if (!check_fields() || !check_target() || !check_framing()) return status::bad_request;
    if (host_count_ == 0 && head_.version_minor == 1) return status::bad_request;
    // RFC 9110 §7.4: such a resource is not served on a connection without TLS.
    if (needs_tls_) return status::misdirected_request;
    if (other_coding_) return status::not_implemented;
    if (other_expectation_) return status::expectation_failed;
    head_.upgrade = has_upgrade_ && connection_upgrade_;
    return no_fault;
  }

 private:
  /// method SP target SP "HTTP/1." ("0" / "1") CRLF, with exactly one SP each (RFC 9112 §3). Empty
  /// lines in front of it are CRLF (§2.2).
  bool check_request_line() {
    std::size_t at = 0;
    while (base_[at] == '\r' && base_[at + 1] == '\n') at += 2;
    // llhttp compared the method's letters; here its place is checked.
    const std::string_view name = to_string(head_.method);
    if (head_.target_begin != at + name.size() + 1 || base_[at + name.size()] != ' ') return false;

    constexpr std::size_t rest_size = 11;
    const char* const rest = base_ + head_.target_begin + head_.target_size;
    if (static_cast<std::size_t>(end_ - rest) < rest_size) return false;
    if (std::memcmp(rest, " HTTP/1.", 8) != 0 || rest[9] != '\r' || rest[10] != '\n') return false;
    if (rest[8] != '0' && rest[8] != '1') return false;
    head_.version_minor = static_cast<std::uint8_t>(rest[8] - '0');
    at_ = static_cast<std::size_t>(rest - base_) + rest_size;
    return true;
  }

  /// field-name ":" OWS field-value OWS CRLF, back to back up to the empty line (RFC 9112 §5,
  /// §2.1): no space before the colon (§5.1), no obs-fold (§5.2), no bare CR or LF (§2.2).
  bool check_fields() {
    const char* const base = base_;
    const char* at = base + at_;
    const field_ref* const end = refs_ + head_.field_count;
    for (field_ref* ref = refs_; ref != end; ++ref) {
      if (base + ref->name_begin != at || ref->name_size == 0) return false;
      at += ref->name_size;
      if (*at != ':') return false;
      at = skip_ows(at + 1);
      std::size_t size = ref->value_size;
      if (size == 0) {
        ref->value_begin = static_cast<std::uint16_t>(at - base);
      } else {
        if (base + ref->value_begin != at) return false;
        at += size;
        if (is_ows(at[-1])) {
          while (is_ows(base[ref->value_begin + size - 1])) --size;
          ref->value_size = static_cast<std::uint16_t>(size);
        }
        at = skip_ows(at);
      }
      if (at[0] != '\r' || at[1] != '\n') return false;
      at += 2;
      if (may_steer(*ref, base) && !learn(*ref)) return false;
    }
    if (at[0] != '\r' || at[1] != '\n') return false;
    head_.head_bytes = static_cast<std::uint32_t>(at + 2 - base);
    return true;
  }

  static bool is_ows(char c) { return c == ' ' || c == '\t'; }
  static const char* skip_ows(const char* at) {
    while (is_ows(*at)) ++at;
    return at;
  }

  /// Whether a field name of the literal's size is the literal, which is in small letters. Setting
  /// the bit that tells the cases apart makes no other token character a letter or a '-'.
  template <std::size_t N>
  static bool is_name(const char* name, const char (&literal)[N]) {
    for (std::size_t i = 0; i + 1 < N; ++i) {
      if ((static_cast<unsigned char>(name[i]) | 0x20) != literal[i]) return false;
    }
    return true;
  }

  /// Whether the size and the first letter are those of one of the few names that learn() knows:
  /// that rules out nearly all fields without a call.
  static bool may_steer(const field_ref& ref, const char* base) {
    constexpr std::uint32_t sizes = 1U << 4 | 1U << 6 | 1U << 7 | 1U << 10 | 1U << 14 | 1U << 17;
    constexpr std::uint32_t letters = 1U << ('h' & 31) | 1U << ('e' & 31) | 1U << ('u' & 31) |
                                      1U << ('c' & 31) | 1U << ('t' & 31);
    if (ref.name_size > 17) return false;
    const auto letter = static_cast<unsigned char>(base[ref.name_begin]) & 31U;
    return (sizes >> ref.name_size & letters >> letter & 1U) != 0;
  }

  /// Picks out the few fields that steer the message itself.
  bool learn(const field_ref& ref) {
    const char* const name = base_ + ref.name_begin;
    const std::string_view value(base_ + ref.value_begin, ref.value_size);
    switch (ref.name_size) {
      case 4:
        return !is_name(name, "host") || learn_host(ref, value);
      case 6:
        if (is_name(name, "expect")) learn_expect(value);
        return true;
      case 7:
        if (is_name(name, "upgrade")) has_upgrade_ = true;
        return true;
      case 10:
        if (is_name(name, "connection")) learn_connection(value);
        return true;
      case 14:
        return !is_name(name, "content-length") || learn_length(value);
      case 17:
        return !is_name(name, "transfer-encoding") || learn_coding(value);
      default:
        return true;
    }
  }

  /// At most one Host, and a valid one (RFC 9112 §3.2). Empty is how a URI without an authority is
  /// told, and valid.
  bool learn_host(const field_ref& ref, std::string_view value) {
    if (++host_count_ > 1) return false;
    head_.host_begin = ref.value_begin;
    head_.host_size = ref.value_size;
    return value.empty() || is_host_and_port(value);
  }

  void learn_expect(std::string_view value) {
    if (!equals_ignoring_case(value, "100-continue")) {
      other_expectation_ = true;
    } else if (head_.version_minor == 1) {  // In HTTP/1.0 it is ignored, RFC 9110 §10.1.1.
      head_.expects_continue = true;
    }
  }

  /// The next element of a comma-separated list, without the white space around it.
  static std::string_view take_element(std::string_view& list) {
    const std::size_t comma = list.find(',');
    const std::string_view element = trim_ows(list.substr(0, comma));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    return element;
  }

  /// RFC 9112 §9.3: close wins; else keep-alive; else the version's default.
  void learn_connection(std::string_view list) {
    while (!list.empty()) {
      const std::string_view option = take_element(list);
      if (equals_ignoring_case(option, "close")) {
        closes_ = true;
        head_.keep_alive = false;
      } else if (equals_ignoring_case(option, "keep-alive")) {
        head_.keep_alive = !closes_;
      } else if (equals_ignoring_case(option, "upgrade")) {
        connection_upgrade_ = true;
      }
    }
  }

  /// One Content-Length, of digits (RFC 9110 §8.6): a repeated one is refused even when it is
  /// equal, since the one that others on the way believe in may not be ours.
  bool learn_length(std::string_view value) {
    if (head_.has_content_length) return false;
    const auto length = parse_decimal<std::uint64_t>(value);
    if (!length) return false;
    head_.has_content_length = true;
    head_.content_length = *length;
    return true;
  }

  /// The codings of all Transfer-Encoding fields are one list (RFC 9112 §6.1). chunked may stand
  /// only once, as its end (§7). Empty elements are refused: a parser that skips them sees another
  /// list.
  bool learn_coding(std::string_view list) {
    has_coding_ = true;
    do {
      const bool is_followed = list.find(',') != std::string_view::npos;
      const std::string_view coding = take_element(list);
      if (coding.empty() || head_.chunked || (is_followed && list.empty())) return false;
      if (equals_ignoring_case(coding, "chunked")) {
        head_.chunked = true;
      } else {
        other_coding_ = true;
      }
    } while (!list.empty());
    return true;
  }

  /// RFC 9112 §6.1 and §6.3: never two framings; a Transfer-Encoding ends in chunked; an HTTP/1.0
  /// message has none.
  bool check_framing() const {
    if (!has_coding_) return true;
    return head_.chunked && !head_.has_content_length && head_.version_minor == 1;
  }

  /// No fragment (RFC 9112 §3.2), and none of the characters that no URI has and no browser sends
  /// unescaped either. What browsers do send is let through: "|[]" everywhere, "{}\\^`" in a query.
  static bool is_target(std::string_view target) {
    bool in_query = false;
    for (const char c : target) {
      switch (c) {
        case '?':
          in_query = true;
          break;
        case '#':
        case '"':
        case '<':
        case '>':
          return false;
        case '\\':
        case '^':
        case '`':
        case '{':
        case '}':
          if (!in_query) return false;
          break;
        default:
          break;
      }
    }
    return true;
  }

  /// The four forms of a target, RFC 9112 §3.2; authority-form is CONNECT's and CONNECT is not
  /// served.
  bool check_target() {
    const std::string_view target(base_ + head_.target_begin, head_.target_size);
    if (!is_target(target)) return false;
    if (target[0] == '/') {
      split_path(head_.target_begin, target);
      return true;
    }
    if (target == "*") {
      split_path(head_.target_begin, target);
      return head_.method == method::options;  // RFC 9112 §3.2.4
    }
    return check_absolute_form(target);
  }

  /// RFC 9112 §3.2.2: the authority of the target replaces Host.
  bool check_absolute_form(std::string_view target) {
    std::size_t scheme_size = 0;
    if (equals_ignoring_case(target.substr(0, 7), "http://")) scheme_size = 7;
    if (equals_ignoring_case(target.substr(0, 8), "https://")) {
      scheme_size = 8;
      needs_tls_ = true;
    }
    if (scheme_size == 0) return false;
    const std::string_view after_scheme = target.substr(scheme_size);
    const std::size_t authority_end = after_scheme.find_first_of("/?");
    const std::string_view authority = after_scheme.substr(0, authority_end);
    if (!is_host_and_port(authority)) return false;
    const auto path_begin = scheme_size + authority.size();
    head_.host_begin = static_cast<std::uint16_t>(head_.target_begin + scheme_size);
    head_.host_size = static_cast<std::uint16_t>(authority.size());
    split_path(head_.target_begin + path_begin, target.substr(path_begin));
    return true;
  }

  void split_path(std::size_t begin, std::string_view path_and_query) {
    const std::size_t mark = path_and_query.find('?');
    const std::size_t path_size = mark == std::string_view::npos ? path_and_query.size() : mark;
    head_.path_begin = static_cast<std::uint16_t>(begin);
    head_.path_size = static_cast<std::uint16_t>(path_size);
    head_.query_begin = static_cast<std::uint16_t>(begin + path_size);
    if (mark == std::string_view::npos) return;
    head_.query_begin = static_cast<std::uint16_t>(begin + path_size + 1);
    head_.query_size = static_cast<std::uint16_t>(path_and_query.size() - path_size - 1);
  }

  request_head& head_;
  const char* base_;
  const char* end_;
  field_ref* refs_;
  std::size_t at_ = 0;  ///< where the fields begin
  std::uint32_t host_count_ = 0;
  bool has_coding_ = false;    ///< true exactly when a Transfer-Encoding field was seen
  bool other_coding_ = false;  ///< true exactly when a coding besides chunked was seen
  bool other_expectation_ = false;
  bool closes_ = false;  ///< true exactly when Connection had close
  bool has_upgrade_ = false;
  bool needs_tls_ = false;  ///< true exactly when the target is an https URI
  bool connection_upgrade_ = false;
};

}  // namespace nen::detail
