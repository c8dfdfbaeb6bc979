// http, L1: the name of a request in logs: what its client, or a proxy in front, calls it in
// X-Request-Id, else a number of ours.
#pragma once

#include <nen/core/ascii.hpp>
#include <nen/core/unique_number.hpp>
#include <nen/http/handler.hpp>
#include <nen/http/request.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace nen {

/// A request's id, for handlers: take it by value or as const&. With config::request_ids every
/// answer, errors included, says it in X-Request-Id, and a request has the same one wherever it is
/// asked for; without, one that the client has not named has another id each time.
class request_id {
 public:
  static constexpr std::size_t bytes_max = 64;

  /// @param number  of a request that has no name: 32 hexadecimal digits are its id
  explicit request_id(const unique_number& number) noexcept : size_(32) {
    detail::write_hex_16(detail::write_hex_16(text_, number.high), number.low);
  }
  /// @pre  is_valid(name)
  explicit request_id(std::string_view name) noexcept
      : size_(static_cast<std::uint8_t>(name.size())) {
    std::memcpy(text_, name.data(), name.size());
  }

  /// A request's own X-Request-Id where that is valid and the only one; else empty.
  static std::string_view name_in(const request& req) noexcept {
    const auto name = req.field("X-Request-Id");
    if (!name || !is_valid(*name) || req.fields().count("X-Request-Id") != 1) return {};
    return *name;
  }

  /// A request's: what its client calls it, else its number.
  static request_id of(const request& req) noexcept {
    const auto name = name_in(req);
    return name.empty() ? request_id(req.number()) : request_id(name);
  }

  /// 1 to 64 characters of a token (RFC 9110 §5.6.2). What else a client sends is not taken: it
  /// would stand in logs and in answers.
  [[nodiscard]] static constexpr bool is_valid(std::string_view name) noexcept {
    return name.size() <= bytes_max && is_token(name);
  }

  [[nodiscard]] std::string_view view() const noexcept { return {text_, size_}; }
  operator std::string_view() const noexcept { return view(); }

 private:
  std::uint8_t size_;
  char text_[bytes_max];
};

template <>
struct extractor<request_id> {
  static std::optional<request_id> from(const request& req) noexcept { return request_id::of(req); }
};

}  // namespace nen
