// A request as handlers see it: a cheap view of the bytes it arrived in. http, L1.
#pragma once

#include <cstdint>
#include <nen/core/client_address.hpp>
#include <nen/core/unique_number.hpp>
#include <nen/http/fields.hpp>
#include <nen/http/method.hpp>
#include <nen/http/request_head.hpp>
#include <optional>
#include <string_view>

namespace nen {

/// A complete request. It owns nothing and is valid as long as the head, the field table and the
/// bytes that it was made from.
class request {
 public:
  /// @param head      what the head says
  /// @param base      the message's first byte
  /// @param refs      the field table: `head.field_count` entries, then `head.trailer_count`
  /// @param body      the body, empty when there is none
  /// @param trailers  what the offsets of the last `head.trailer_count` entries count from
  constexpr request(const request_head& head, const char* base, const field_ref* refs,
                    std::string_view body, const char* trailers = nullptr)
      : head_(&head), base_(base), refs_(refs), body_(body), trailers_(trailers) {}

  constexpr nen::method method() const { return head_->method; }

  /// The request target just as it was sent, RFC 9112 §3.2.
  constexpr std::string_view target() const {
    return view(head_->target_begin, head_->target_size);
  }

  /// The path, not decoded, without the query. It starts with '/'; only `OPTIONS *` has "*".
  constexpr std::string_view path() const {
    // An absolute-form target without a path means the root, RFC 9110 §4.2.3.
    if (head_->path_size == 0) return "/";
    return view(head_->path_begin, head_->path_size);
  }

  /// What follows the first '?', not decoded; empty when there is none.
  constexpr std::string_view query() const { return view(head_->query_begin, head_->query_size); }

  /// The minor version of HTTP/1.0 and HTTP/1.1: 0 or 1.
  constexpr int version_minor() const { return head_->version_minor; }

  constexpr nen::fields fields() const { return {base_, refs_, head_->field_count}; }

  /// @returns the value of the first field of this name (compared without case), or nothing
  constexpr std::optional<std::string_view> field(std::string_view name) const {
    return fields().find(name);
  }

  /// `host[:port]` of an absolute-form target, else of Host (RFC 9112 §3.2.2). Empty only when an
  /// HTTP/1.0 request has no Host or when Host itself is empty.
  constexpr std::string_view host() const { return view(head_->host_begin, head_->host_size); }

  constexpr std::string_view body() const { return body_; }

  /// The fields behind a chunked body, RFC 9110 §6.5. They are there once the whole body has come:
  /// for a body taken part by part, in the last part. They are never among fields() and, as RFC
  /// 9110 §6.5.1 wants it, those that have to be known before the content are left out: what
  /// frames, routes, authenticates, controls or makes conditional, and how the content is read.
  constexpr nen::fields trailers() const {
    return {trailers_, refs_ + head_->field_count, head_->trailer_count};
  }

  /// Whether the client wants the connection kept after the response, RFC 9112 §9.3.
  constexpr bool keep_alive() const { return head_->keep_alive; }

  /// Whose request it is: the other end of the connection. Nobody's, of kind none, where addresses
  /// are not kept (config::client_addresses).
  constexpr const client_address& client() const {
    return head_->client != nullptr ? *head_->client : client_address::nobody();
  }

  /// A number that no other request has. With config::request_ids it is always the same, else
  /// another one with each call.
  unique_number number() const {
    return head_->number != nullptr ? *head_->number : make_unique_number();
  }

  /// Everything else that the head says.
  constexpr const request_head& head() const { return *head_; }

 private:
  constexpr std::string_view view(std::uint16_t begin, std::uint16_t size) const {
    return {base_ + begin, size};
  }

  const request_head* head_;
  const char* base_;
  const field_ref* refs_;
  std::string_view body_;
  const char* trailers_;
};

}  // namespace nen
