// The rules of RFC 9112 for the field lines of a head, a request's or a response's, whatever parser
// found them: every gap between the parts is measured, so that nothing lenient gets through.
// http, L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <nen/core/ascii.hpp>
#include <nen/http/fields.hpp>
#include <string_view>
#include <type_traits>

namespace nen::detail {

/// Checks the field lines and learns from them how the message is framed.
/// @tparam Head   request_head or response_head
/// @tparam Rules  derives from this; its `bool learn(const field_ref&)` is asked about each field
///                that may steer the message, and says whether that is a valid one
template <class Head, class Rules>
class field_checker {
 protected:
  field_checker(Head& head, const char* base, const char* end, field_ref* refs)
      : head_(head), base_(base), end_(end), refs_(refs) {}

  /// field-name ":" OWS field-value OWS CRLF, back to back up to the empty line (RFC 9112 §5,
  /// §2.1): no space before the colon (§5.1), no obs-fold (§5.2), no bare CR or LF (§2.2).
  bool check_fields() {
    const char* at = base_ + at_;
    field_ref* const end = refs_ + head_.field_count;
    for (field_ref* ref = refs_; ref != end; ++ref) {
      if (base_ + ref->name_begin != at || ref->name_size == 0) return false;
      at += ref->name_size;
      if (*at != ':') return false;
      at = end_of_value(at + 1, *ref);
      if (at == nullptr || !ends_line(at)) return false;
      at += 2;
      if (may_steer(*ref, base_) && !static_cast<Rules&>(*this).learn(*ref)) return false;
    }
    if (!ends_line(at)) return false;
    head_.head_bytes = static_cast<std::uint32_t>(at + 2 - base_);
    return true;
  }

  /// Cuts the white space off the value that begins at `at`, just behind the colon.
  /// @returns  where the value's line ends, or nullptr where the value is not in one piece
  const char* end_of_value(const char* at, field_ref& ref) {
    // Nearly everybody writes one space in front of a value and none behind.
    if (*at == ' ') ++at;
    std::size_t size = ref.value_size;
    if (size != 0 && base_ + ref.value_begin == at && !is_ows(at[size - 1]) && at[size] == '\r')
      return at + size;
    at = skip_ows(at);
    if (size == 0) {
      ref.value_begin = static_cast<std::uint16_t>(at - base_);
      return at;
    }
    if (base_ + ref.value_begin != at) return nullptr;
    const char* const line_end = skip_ows(at + size);
    while (is_ows(at[size - 1])) --size;
    ref.value_size = static_cast<std::uint16_t>(size);
    return line_end;
  }

  /// The second byte is looked at only behind a CR: a line that ends otherwise may be the last
  /// there is.
  static bool ends_line(const char* at) { return at[0] == '\r' && at[1] == '\n'; }
  static bool is_ows(char c) { return c == ' ' || c == '\t'; }
  static const char* skip_ows(const char* at) {
    while (is_ows(*at)) ++at;
    return at;
  }

  /// Whether a field name of the literal's size is the literal, which is in small letters. It is
  /// compared by words, of which the last overlaps the one before.
  template <std::size_t N>
  static bool is_name(const char* name, const char (&literal)[N]) {
    constexpr std::size_t size = N - 1;
    using word = std::conditional_t<(size < 8), std::uint32_t, std::uint64_t>;
    static_assert(size >= sizeof(word) && size <= 3 * sizeof(word));
    constexpr std::size_t last = size - sizeof(word);
    const bool is_same = small_letters<word>(name) == small_letters<word>(literal) &&
                         small_letters<word>(name + last) == small_letters<word>(literal + last);
    if constexpr (size <= 2 * sizeof(word)) return is_same;
    return is_same &&
           small_letters<word>(name + sizeof(word)) == small_letters<word>(literal + sizeof(word));
  }

  /// Setting the bit that tells the cases apart makes no other token character a letter or a '-'.
  template <class Word>
  static Word small_letters(const char* at) {
    Word word;
    std::memcpy(&word, at, sizeof word);
    return word | static_cast<Word>(0x2020'2020'2020'2020U);
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

  /// Takes note of the fields that frame a message, whichever way it goes.
  bool learn_framing(const char* name, std::size_t size, std::string_view value) {
    switch (size) {
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

  /// RFC 9112 §6.1: never both fields, and an HTTP/1.0 message has no Transfer-Encoding.
  bool has_one_framing() const {
    return !has_coding_ || (!head_.has_content_length && head_.version_minor == 1);
  }

  /// Both fields are needed, RFC 9110 §7.8.
  bool wants_upgrade() const { return has_upgrade_ && connection_upgrade_; }

  Head& head_;
  const char* base_;
  const char* end_;
  field_ref* refs_;
  std::size_t at_ = 0;         ///< where the fields begin
  bool has_coding_ = false;    ///< true exactly when a Transfer-Encoding field was seen
  bool other_coding_ = false;  ///< true exactly when a coding besides chunked was seen
  bool closes_ = false;        ///< true exactly when Connection had close
  bool has_upgrade_ = false;
  bool connection_upgrade_ = false;
};

}  // namespace nen::detail
