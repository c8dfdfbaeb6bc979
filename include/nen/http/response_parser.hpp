// The response parser, for clients: head_parser.hpp finds the parts of a head in place, the rules
// of response_rules.hpp judge them, and the body is handed out part by part. http, L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nen/core/assert.hpp>
#include <nen/http/chunk_decoder.hpp>
#include <nen/http/fields.hpp>
#include <nen/http/head_parser.hpp>
#include <nen/http/method.hpp>
#include <nen/http/response_head.hpp>
#include <nen/http/response_message.hpp>
#include <nen/http/response_result.hpp>
#include <nen/http/response_rules.hpp>
#include <nen/http/trailers.hpp>

namespace nen {

/// Parses one response after the other, in whatever pieces the bytes come. The outcome never
/// depends on where the input was cut; only how many parts a body comes in does. It owns no bytes:
/// the head is read where it lies and has to stay there, back to back from the base, until the
/// message is done with or moved. It is zero until start().
///
/// An interim response (received_response::is_interim) is a message like others, and another one
/// follows it: start() again for the same request. How many of them are put up with is up to the
/// caller.
class response_parser : private detail::head_parser {
 public:
  /// Begins a new message. Nothing of an earlier one is kept.
  /// @param answered  the method of the request that this answers: what follows the head depends
  ///                  on it, RFC 9112 §6.3
  /// @param base      where the message's first byte is (or will be)
  /// @param table     room for the fields; what it holds is not looked at
  /// @param fields    how many entries the table has
  /// @pre             `head_bytes_max` is at most 65,535, so that 16 bits hold every offset
  ///                  (asserted)
  void start(method answered, char* base, const response_limits& limits, field_ref* table,
             std::uint16_t fields);

  /// Reads on, up to the next step. Call it again with the bytes that were not consumed, or with
  /// none, until it needs more or the message is complete or rejected: also a message without a
  /// body first has a complete head.
  /// @param begin  the byte after the last one consumed; inside the head it has to lie just behind
  ///               that one (asserted)
  /// @param end    the end of the bytes that are there; nothing at or behind it is read
  response_result feed(char* begin, char* end);

  /// Says that the connection has ended and no byte will come any more.
  /// @returns  message_complete for a body that ends with the connection, and where the message
  ///           was complete without another byte; else rejected
  response_result end_of_input();

  /// Hands an unfinished message to another parser, after the caller has copied the message's bytes
  /// from the base to `new_base`. Costs a copy of the state and of the fields seen so far.
  /// @pre  `to`'s table has room for them (asserted)
  void move_to(response_parser& to, char* new_base, field_ref* table, std::uint16_t fields) const;

  /// Says where the lines of trailer fields are gathered. Without a place they are checked and
  /// dropped. Head and trailers have at most `head_bytes_max` bytes together: in a place of that
  /// size there is room behind the head.
  /// @pre  has_head(), and nothing of the body has been fed (asserted)
  void trailers_into(char* lines);

  /// True exactly between head_complete and message_complete (or rejected).
  bool in_body() const { return phase_ == phase::body; }

  /// True exactly from head_complete on, until the message is rejected.
  bool has_head() const { return phase_ == phase::body || phase_ == phase::complete; }

  /// True exactly when no byte of the message has come.
  bool at_start() const { return phase_ == phase::head && next_ == base_; }

  /// What the head says. @pre head_complete was returned
  const response_head& head() const { return head_; }

  /// Whether the connection may carry another request when this message is complete, RFC 9112
  /// §9.3. Bytes behind the message that answer no request are for the caller to see.
  bool keep_alive() const { return has_head() && head_.keep_alive; }

  /// How many bytes of content have been handed out.
  std::uint64_t content_bytes() const { return content_bytes_; }

  /// A view of the message.
  /// @param body  what the caller has gathered of it, if anything
  /// @pre         head_complete was returned (asserted); a body that was rejected afterwards takes
  ///              nothing from the head
  received_response message(std::string_view body = {}) const {
    NEN_ASSERT(head_.head_bytes != 0);
    return {head_, base_, table_, body, trailers_};
  }

 private:
  friend struct detail::head_callbacks<response_parser>;

  static constexpr bool reads_requests = false;

  response_result feed_head(char* begin, char* end);
  response_result end_of_head();
  response_result feed_body(const char* begin, const char* end);
  response_result feed_sized(const char* begin, const char* end);
  response_result feed_chunks(const char* begin, const char* end);
  response_result judge(char* begin, char* end);
  response_result need_more(char* begin, char* end);
  response_result finish_head(char* begin, const char* head_end);
  response_result part(const char* begin, const char* end, std::uint64_t most);
  response_result complete(std::size_t consumed);
  response_result reject(response_fault fault);
  void gather_trailer(const char* piece, std::size_t size);
  [[gnu::cold]] bool list_trailers();
  response_fault fault_of_llhttp() const;

  int on_head_complete();

  method answered_;
  response_fault fault_;  ///< why the message is refused, or is going to be once it is judged
  response_head head_;
  response_limits limits_;
  std::uint64_t content_bytes_;
  chunk_decoder chunks_;
  char* trailers_;               ///< where the lines of trailer fields are gathered, or null
  std::uint32_t trailer_bytes_;  ///< at most 65,535, like head_bytes_max
};

/// A parser with its own table.
template <std::uint16_t FieldsMax>
class response_parser_with : public response_parser {
 public:
  void start(method answered, char* base, const response_limits& limits) {
    response_parser::start(answered, base, limits, own_table_, FieldsMax);
  }
  template <std::uint16_t OtherMax>
  void move_to(response_parser_with<OtherMax>& to, char* new_base) const {
    response_parser::move_to(to, new_base, to.own_table_, OtherMax);
  }

 private:
  template <std::uint16_t>
  friend class response_parser_with;

  field_ref own_table_[FieldsMax];
};

}  // namespace nen

#include <nen/http/response_parser.ipp>
