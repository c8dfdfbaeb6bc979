// A response as a client gets it: a cheap view of the bytes it arrived in. http, L1.
#pragma once

#include <cstdint>
#include <nen/http/fields.hpp>
#include <nen/http/response_head.hpp>
#include <nen/http/status.hpp>
#include <optional>
#include <string_view>

namespace nen {

/// A response that was received. It owns nothing and is valid as long as the head, the field table
/// and the bytes that it was made from.
class received_response {
 public:
  /// @param head      what the head says
  /// @param base      the message's first byte
  /// @param refs      the field table: `head.field_count` entries, then `head.trailer_count`
  /// @param body      the body, empty where it is taken part by part
  /// @param trailers  what the offsets of the last `head.trailer_count` entries count from
  constexpr received_response(const response_head& head, const char* base, const field_ref* refs,
                              std::string_view body = {}, const char* trailers = nullptr)
      : head_(&head), base_(base), refs_(refs), body_(body), trailers_(trailers) {}

  /// 100 to 999. RFC 9110 §15: one of no known class is to be treated as the x00 of its class, and
  /// one from 600 on as a 5xx.
  constexpr nen::status status() const { return head_->status; }

  /// The status as a number, for what has no enumerator.
  constexpr int code() const { return static_cast<int>(head_->status); }

  /// Whether the request was received, understood and accepted: 2xx, RFC 9110 §15.3.
  constexpr bool is_successful() const { return code() / 100 == 2; }

  /// A 1xx that another response follows, RFC 9110 §15.2. 101 is not one: HTTP ends with it.
  constexpr bool is_interim() const {
    return code() / 100 == 1 && head_->status != status::switching_protocols;
  }

  /// The reason phrase as it was sent. It means nothing, RFC 9112 §4.
  constexpr std::string_view reason() const {
    return {base_ + head_->reason_begin, head_->reason_size};
  }

  /// The minor version of HTTP/1.0 and HTTP/1.1: 0 or 1.
  constexpr int version_minor() const { return head_->version_minor; }

  constexpr nen::fields fields() const { return {base_, refs_, head_->field_count}; }

  /// @returns the value of the first field of this name (compared without case), or nothing
  constexpr std::optional<std::string_view> field(std::string_view name) const {
    return fields().find(name);
  }

  constexpr std::string_view body() const { return body_; }

  /// The fields behind a chunked body, RFC 9110 §6.5, as request::trailers() has them: they are
  /// there once the whole body has come, and never what has to be known before the content.
  constexpr nen::fields trailers() const {
    return {trailers_, refs_ + head_->field_count, head_->trailer_count};
  }

  /// Whether the connection may carry another request, RFC 9112 §9.3.
  constexpr bool keep_alive() const { return head_->keep_alive; }

  /// Everything else that the head says.
  constexpr const response_head& head() const { return *head_; }

 private:
  const response_head* head_;
  const char* base_;
  const field_ref* refs_;
  std::string_view body_;
  const char* trailers_;
};

}  // namespace nen
