// http, L1: which trace a request belongs to: the field traceparent of W3C Trace Context, read
// strictly, and written for requests to others.
#pragma once

#include <nen/core/ascii.hpp>
#include <nen/core/unique_number.hpp>
#include <nen/http/handler.hpp>
#include <nen/http/request.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nen {

/// The value of a traceparent field, version 00: "00-<trace>-<parent>-<flags>".
struct traceparent {
  static constexpr std::size_t text_bytes = 55;

  std::array<char, 32> trace_id = {};   ///< hexadecimal digits, not all 0
  std::array<char, 16> parent_id = {};  ///< the span of whoever asked; not all 0
  bool sampled = false;                 ///< whoever asked may have recorded it

  [[nodiscard]] constexpr std::string_view trace() const noexcept {
    return {trace_id.data(), trace_id.size()};
  }
  [[nodiscard]] constexpr std::string_view parent() const noexcept {
    return {parent_id.data(), parent_id.size()};
  }

  /// Reads a field's value, W3C Trace Context §3.2.2 and §4.3: lower-case digits only, no id all
  /// zero, nothing behind version 00. A version that is not known yet is read as far as 00 goes;
  /// ff is none.
  [[nodiscard]] static constexpr std::optional<traceparent> parse(std::string_view text) noexcept;

  /// @param out  room for text_bytes bytes
  constexpr char* write(char* out) const noexcept;

  friend constexpr bool operator==(const traceparent&, const traceparent&) noexcept = default;
};

namespace detail {

constexpr bool is_lower_hex(std::string_view text) noexcept {
  for (const char c : text)
    if (!is_digit(c) && (c < 'a' || c > 'f')) return false;
  return true;
}

constexpr bool is_trace_number(std::string_view text) noexcept {
  return is_lower_hex(text) && text.find_first_not_of('0') != text.npos;
}

}  // namespace detail

constexpr std::optional<traceparent> traceparent::parse(std::string_view text) noexcept {
  if (text.size() < text_bytes || text[2] != '-' || text[35] != '-' || text[52] != '-')
    return std::nullopt;
  const std::string_view version = text.substr(0, 2), trace = text.substr(3, 32),
                         parent = text.substr(36, 16), flags = text.substr(53, 2);
  if (!detail::is_lower_hex(version) || version == "ff" || !detail::is_lower_hex(flags) ||
      !detail::is_trace_number(trace) || !detail::is_trace_number(parent))
    return std::nullopt;
  if (text.size() != text_bytes && (version == "00" || text[text_bytes] != '-'))
    return std::nullopt;
  traceparent found;
  for (std::size_t i = 0; i < trace.size(); ++i) found.trace_id[i] = trace[i];
  for (std::size_t i = 0; i < parent.size(); ++i) found.parent_id[i] = parent[i];
  found.sampled = (hex_value(flags[1]) & 1) != 0;
  return found;
}

constexpr char* traceparent::write(char* out) const noexcept {
  const auto put = [&out](std::string_view part) {
    for (const char c : part) *out++ = c;
  };
  put("00-"), put(trace()), put("-"), put(parent()), put(sampled ? "-01" : "-00");
  return out;
}

/// The request's own traceparent: nothing where it has none, more than one, or one that is wrong.
[[nodiscard]] inline std::optional<traceparent> find_traceparent(const request& req) noexcept {
  const auto value = req.field("traceparent");
  if (!value || req.fields().count("traceparent") != 1) return std::nullopt;
  return traceparent::parse(*value);
}

/// The trace that a request belongs to, for handlers: take it by value or as const&. A request
/// without a (valid) traceparent begins a trace of its own, as §4.2 of the specification asks.
/// @code  nen::task<nen::reply> page(nen::trace_context trace, nen::context& ctx) {
///          const auto span = trace.child();
///          const nen::field fields[] = {{"traceparent", span}};
///          auto answer = co_await ctx.http(url, {.fields = fields}); …  @endcode
class trace_context {
 public:
  /// A value of traceparent for one request to somebody.
  class text {
   public:
    constexpr std::string_view view() const noexcept { return {bytes_.data(), bytes_.size()}; }
    constexpr operator std::string_view() const noexcept { return view(); }

   private:
    friend class trace_context;
    std::array<char, traceparent::text_bytes> bytes_ = {};
  };

  /// @param incoming  what the request says, if anything
  /// @param number    the request's own
  constexpr trace_context(const std::optional<traceparent>& incoming, unique_number number) noexcept
      : from_(incoming.value_or(traceparent{})), is_root_(!incoming), span_(number.low) {
    if (!is_root_) return;
    detail::write_hex_16(from_.trace_id.data(), number.high);
    detail::write_hex_16(from_.trace_id.data() + 16, number.low);
  }

  /// 32 digits.
  [[nodiscard]] constexpr std::string_view trace_id() const noexcept { return from_.trace(); }
  /// The span of whoever asked: 16 digits, or empty where the trace begins here.
  [[nodiscard]] constexpr std::string_view parent_id() const noexcept {
    return is_root_ ? std::string_view{} : from_.parent();
  }
  /// Whoever asked may have recorded the trace. False where it begins here.
  [[nodiscard]] constexpr bool sampled() const noexcept { return from_.sampled; }
  [[nodiscard]] constexpr bool is_root() const noexcept { return is_root_; }

  /// What a request to somebody says in traceparent: the same trace, and a span that no other has.
  /// The field tracestate, if there is one, is to be sent along as it is (§3.3).
  [[nodiscard]] constexpr text child() noexcept {
    std::uint64_t span = 0;
    while (span == 0) span = detail::mix(span_ + ++children_);
    traceparent its = from_;
    detail::write_hex_16(its.parent_id.data(), span);
    text made;
    its.write(made.bytes_.data());
    return made;
  }

 private:
  traceparent from_;
  bool is_root_;
  std::uint64_t span_;
  std::uint64_t children_ = 0;
};

template <>
struct extractor<trace_context> {
  static std::optional<trace_context> from(const request& req) noexcept {
    return trace_context(find_traceparent(req), req.number());
  }
};

}  // namespace nen
