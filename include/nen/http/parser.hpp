// The request parser: head_parser.hpp finds the parts of a head in place, the rules of
// head_rules.hpp judge them, and body_reader.hpp gathers what follows. http, L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nen/core/assert.hpp>
#include <nen/http/body_reader.hpp>
#include <nen/http/fields.hpp>
#include <nen/http/head_parser.hpp>
#include <nen/http/head_rules.hpp>
#include <nen/http/parse_result.hpp>
#include <nen/http/request.hpp>
#include <nen/http/request_head.hpp>
#include <nen/http/request_line.hpp>
#include <nen/http/status.hpp>
#include <nen/http/trailers.hpp>

namespace nen {

/// Parses one request after the other, in whatever pieces the bytes come. The outcome never depends
/// on where the input was cut. It owns no bytes: the head is read where it lies and has to stay
/// there, back to back from the base, until the message is done with or moved. It is zero until
/// start().
class request_parser : private detail::head_parser {
 public:
  /// Begins a new message. Nothing of an earlier one is kept.
  /// @param base    where the message's first byte is (or will be)
  /// @param table   room for the fields; what it holds is not looked at
  /// @param fields  how many entries the table has
  /// @pre           `head_bytes_max` is at most 65,535, so that 16 bits hold every offset
  /// (asserted)
  void start(char* base, const parse_limits& limits, field_ref* table, std::uint16_t fields);

  /// Reads on. After head_complete call it again with the bytes that were not consumed.
  /// @param begin  the byte after the last one consumed; inside the head, and inside a body that is
  ///               gathered in place, it has to lie just behind that one (asserted)
  /// @param end    the end of the bytes that are there; nothing at or behind it is read
  parse_result feed(char* begin, char* end);

  /// Hands an unfinished message to another parser, after the caller has copied the message's bytes
  /// from the base to `new_base`. Costs a copy of the state and of the fields seen so far.
  /// @pre  `to`'s table has room for them (asserted)
  void move_to(request_parser& to, char* new_base, field_ref* table, std::uint16_t fields) const;

  /// Moves what has come of the body to `data` and gathers the rest there. Without it a body is
  /// gathered in place: its pieces are moved together inside the input.
  /// @param capacity  a body with more bytes is answered with 413
  /// @pre             what has come fits (asserted)
  void body_into(char* data, std::uint64_t capacity);

  /// Moves what has come of the trailer fields' lines to `lines` and gathers the rest there.
  /// Without it they stay where they come, which has to be one buffer. Head and trailers have at
  /// most `head_bytes_max` bytes together: in a place of that size there is room behind the head.
  /// @pre  has_head() (asserted)
  void trailers_into(char* lines);

  /// Whose message it is; it lives as long as the message.
  void set_client(const client_address* who) { head_.client = who; }
  /// The same for its number.
  void set_number(const unique_number* which) { head_.number = which; }

  /// From head_complete on: a body with more bytes is answered with 413, if it is not so already.
  void limit_body(std::uint64_t bytes_max) {
    if (bytes_max < limits_.body_bytes_max) limits_.body_bytes_max = bytes_max;
  }

  /// From head_complete on: the body is taken away part by part (drop_body) and may have any
  /// length, or this one.
  void stream_body(std::uint64_t bytes_max = ~std::uint64_t{0}) {
    limits_.body_bytes_max = bytes_max;
  }
  void drop_body() { body_.drop_content(); }

  /// True exactly between head_complete and message_complete (or rejected).
  bool in_body() const { return phase_ == phase::body; }

  /// True exactly from head_complete (or message_complete) on, until the message is rejected.
  bool has_head() const { return phase_ == phase::body || phase_ == phase::complete; }

  /// True exactly when no byte of the message has come.
  bool at_start() const { return phase_ == phase::head && next_ == base_; }

  /// What the head says. @pre head_complete or message_complete was returned
  const request_head& head() const { return head_; }

  /// A view of the message; its body is what has come so far.
  /// @pre head_complete or message_complete was returned (asserted); a body that was rejected
  ///      afterwards takes nothing from the head
  request message() const {
    NEN_ASSERT(head_.head_bytes != 0);
    return {head_, base_, table_, body_.content(), body_.trailers().data()};
  }

 private:
  friend struct detail::head_callbacks<request_parser>;

  static constexpr bool reads_requests = true;

  parse_result feed_head(char* begin, char* end);
  parse_result feed_body(char* begin, char* end);
  parse_result finish_head(char* begin, char* head_end);
  parse_result judge(char* begin, char* end);
  parse_result need_more(char* begin, char* end);
  parse_result complete(char* begin, const char* end);
  parse_result reject(nen::status answer);
  [[gnu::cold]] bool list_trailers();

  int on_target(const char* at, std::size_t size);
  int on_head_complete();

  nen::status answer_;  ///< no_fault, or why the message is refused
  request_head head_;
  parse_limits limits_;
  body_reader body_;
};

/// A parser with its own table.
template <std::uint16_t FieldsMax>
class request_parser_with : public request_parser {
 public:
  void start(char* base, const parse_limits& limits) {
    request_parser::start(base, limits, own_table_, FieldsMax);
  }
  template <std::uint16_t OtherMax>
  void move_to(request_parser_with<OtherMax>& to, char* new_base) const {
    request_parser::move_to(to, new_base, to.own_table_, OtherMax);
  }

 private:
  template <std::uint16_t>
  friend class request_parser_with;

  field_ref own_table_[FieldsMax];
};

}  // namespace nen

#include <nen/http/parser.ipp>
