// The rules of RFC 9110 and RFC 9112 for a whole request head, whatever parser found its parts.
// http, L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <nen/core/ascii.hpp>
#include <nen/http/field_rules.hpp>
#include <nen/http/fields.hpp>
#include <nen/http/host.hpp>
#include <nen/http/request_head.hpp>
#include <nen/http/request_line.hpp>
#include <nen/http/status.hpp>
#include <nen/http/target_rules.hpp>
#include <string_view>

namespace nen::detail {

/// No fault: a status that nobody answers with.
inline constexpr status no_fault{};

/// Checks a head and fills in what follows from its fields.
class head_checker : field_checker<request_head, head_checker> {
 public:
  /// @param head  method, target_begin, target_size and field_count are set, the rest is zero
  /// @param base  the message's first byte
  /// @param end   the end of the readable bytes; the head's end is not behind it
  /// @param refs  the field table; white space at the end of values is cut off in it
  head_checker(request_head& head, const char* base, const char* end, field_ref* refs)
      : field_checker(head, base, end, refs) {}

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
    head_.upgrade = wants_upgrade();
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

  friend class field_checker<request_head, head_checker>;

  /// Picks out the few fields that steer a request.
  bool learn(const field_ref& ref) {
    const char* const name = base_ + ref.name_begin;
    const std::string_view value(base_ + ref.value_begin, ref.value_size);
    switch (ref.name_size) {
      case 4:
        return !is_name(name, "host") || learn_host(ref, value);
      case 6:
        if (is_name(name, "expect")) learn_expect(value);
        return true;
      default:
        return learn_framing(name, ref.name_size, value);
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

  /// RFC 9112 §6.3: where a request has a Transfer-Encoding, it ends in chunked.
  bool check_framing() const { return has_one_framing() && (!has_coding_ || head_.chunked); }

  /// The four forms of a target, RFC 9112 §3.2; authority-form is CONNECT's and CONNECT is not
  /// served.
  bool check_target() {
    const std::string_view target(base_ + head_.target_begin, head_.target_size);
    const std::size_t mark = find_query(target);
    if (mark == std::string_view::npos) return false;
    if (target[0] == '/') {
      split_path(0, mark);
      return true;
    }
    if (target == "*") {
      split_path(0, mark);
      return head_.method == method::options;  // RFC 9112 §3.2.4
    }
    return check_absolute_form(target, mark);
  }

  /// RFC 9112 §3.2.2: the authority of the target replaces Host.
  [[gnu::cold]] bool check_absolute_form(std::string_view target, std::size_t mark) {
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
    head_.host_begin = static_cast<std::uint16_t>(head_.target_begin + scheme_size);
    head_.host_size = static_cast<std::uint16_t>(authority.size());
    split_path(scheme_size + authority.size(), mark);
    return true;
  }

  /// @param begin  where the path begins in the target
  /// @param mark   where the query's mark is in it, or its size
  void split_path(std::size_t begin, std::size_t mark) {
    head_.path_begin = static_cast<std::uint16_t>(head_.target_begin + begin);
    head_.path_size = static_cast<std::uint16_t>(mark - begin);
    const bool has_query = mark != head_.target_size;
    head_.query_begin = static_cast<std::uint16_t>(head_.target_begin + mark + has_query);
    head_.query_size = static_cast<std::uint16_t>(head_.target_size - mark - has_query);
  }

  std::uint32_t host_count_ = 0;
  bool other_expectation_ = false;
  bool needs_tls_ = false;  ///< true exactly when the target is an https URI
};

}  // namespace nen::detail
