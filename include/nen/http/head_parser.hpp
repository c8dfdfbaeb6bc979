// What the parsers of requests and of responses have in common: llhttp finds the parts of a head in
// place, and its fields go into a table. http, L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <nen/core/assert.hpp>
#include <nen/http/fields.hpp>
#include <nen/http/llhttp.hpp>

namespace nen::detail {

/// How far llhttp came with what it was given of a head.
enum class head_progress : std::uint8_t {
  need_more,  ///< it took all bytes, and the head goes on
  complete,   ///< the head ends at the byte it stopped at
  refused,    ///< the head's parser refused it, or llhttp the byte it stopped at
};

/// The base of a parser of messages. It owns no bytes: the head is read where it lies and has to
/// stay there, back to back from the base. It is zero until start_head().
class head_parser {
 protected:
  enum class phase : std::uint8_t {
    idle,      ///< before the first start()
    head,      ///< llhttp reads the head
    judging,   ///< the first line is wrong, and more of it is needed to say in which way
    body,      ///< the head is complete and a body follows
    complete,  ///< the message is complete
    rejected,  ///< the message was refused
  };

  /// @param pristine  copied: that is cheaper than llhttp_reset, and no state of an earlier message
  ///                  survives
  void start_head(const llhttp_t& pristine, char* base, field_ref* table, std::uint16_t fields) {
    llhttp_ = pristine;
    base_ = next_ = end_ = base;
    table_ = table;
    table_size_ = fields;
    field_count_ = 0;
    stop_ = 0;
    phase_ = phase::head;
    too_many_fields_ = folded_ = false;
  }

  head_progress execute(char* begin, char* end, std::uint32_t head_bytes_max) {
    NEN_ASSERT(begin == next_);
    limit_end(end, head_bytes_max);
    llhttp_.data = this;
    const llhttp_errno_t result =
        llhttp_execute(&llhttp_, begin, static_cast<std::size_t>(end_ - begin));
    if (result == HPE_OK) return head_progress::need_more;
    return result == HPE_PAUSED ? head_progress::complete : head_progress::refused;
  }

  /// Nothing beyond the limit is ever looked at, so that where the input was cut cannot decide
  /// whether an error behind the limit or the limit itself is reported.
  void limit_end(char* end, std::uint32_t head_bytes_max) {
    const auto room = static_cast<std::ptrdiff_t>(head_bytes_max);
    end_ = end - base_ > room ? base_ + room : end;
  }

  char* stopped_at() const { return base_ + (llhttp_get_error_pos(&llhttp_) - base_); }

  /// Everything up to `end` belongs to the head, and the head is not complete.
  /// @returns false when the head may have no more bytes
  bool take_all(char* end, std::uint32_t head_bytes_max) {
    if (end - base_ >= static_cast<std::ptrdiff_t>(head_bytes_max)) return false;
    next_ = end;
    return true;
  }

  /// Follows the message and the table, which were copied. llhttp keeps no pointer into the input
  /// between calls: at each end it hands out the piece of an open span, and at the next begin it
  /// takes that begin for the span's.
  /// @param count  how many entries of the old table are in use
  void move_head(const head_parser& from, char* new_base, field_ref* table, std::uint16_t fields,
                 std::size_t count) {
    base_ = new_base;
    next_ = new_base + (from.next_ - from.base_);
    table_ = table;
    table_size_ = fields;
    std::memcpy(table, from.table_, count * sizeof(field_ref));
  }

  std::uint16_t offset(const char* at) const { return static_cast<std::uint16_t>(at - base_); }

  int on_name(const char* at, std::size_t size);
  int on_value(const char* at, std::size_t size);

  llhttp_t llhttp_;
  char* base_;
  char* next_;  ///< the byte after the last one consumed
  char* end_;   ///< the end of the bytes that llhttp was given
  field_ref* table_;
  std::uint16_t table_size_;
  std::uint16_t field_count_;  ///< of the head's fields that came so far
  std::uint32_t stop_;         ///< offset of the byte that llhttp refused; valid while judging
  phase phase_;
  bool too_many_fields_;  ///< true exactly when a field had no room in the table
  bool folded_;           ///< true exactly when a field value was not in one piece
};

inline int head_parser::on_name(const char* at, std::size_t size) {
  const std::uint16_t begin = offset(at);
  if (at == next_ && field_count_ > 0) [[unlikely]] {
    // The input was cut here, and perhaps in a name. A name is followed by a colon at least, so a
    // piece without a gap goes on with the last one.
    field_ref& last = table_[field_count_ - 1];
    if (last.name_begin + last.name_size == begin) {
      last.name_size = static_cast<std::uint16_t>(last.name_size + size);
      return 0;
    }
  }
  if (field_count_ == table_size_) [[unlikely]] {
    // Judged when the head is complete: a fault in the name would else be found or not found first,
    // according to where the input was cut.
    too_many_fields_ = true;
    return 0;
  }
  table_[field_count_++] = {begin, static_cast<std::uint16_t>(size), 0, 0};
  return 0;
}

inline int head_parser::on_value(const char* at, std::size_t size) {
  if (too_many_fields_ || field_count_ == 0) [[unlikely]]
    return 0;
  field_ref& last = table_[field_count_ - 1];
  const std::uint16_t begin = offset(at);
  if (last.value_size == 0) [[likely]] {
    last.value_begin = begin;
  } else if (last.value_begin + last.value_size != begin) {
    folded_ = true;
  }
  last.value_size = static_cast<std::uint16_t>(last.value_size + size);
  return 0;
}

/// What llhttp calls. It finds the parser again through llhttp's data pointer.
template <class Parser>
struct head_callbacks {
  static Parser& self(llhttp_t* parser) {
    return static_cast<Parser&>(*static_cast<head_parser*>(parser->data));
  }
  /// A constant, so that nobody has it, or what it calls, compiled who doesn't parse.
  static constexpr llhttp_settings_t make_settings() {
    llhttp_settings_t settings{};  // as llhttp_settings_init leaves it
    if constexpr (Parser::reads_requests) {
      settings.on_url = [](llhttp_t* p, const char* at, std::size_t size) {
        return self(p).on_target(at, size);
      };
    }
    settings.on_header_field = [](llhttp_t* p, const char* at, std::size_t size) {
      return self(p).on_name(at, size);
    };
    settings.on_header_value = [](llhttp_t* p, const char* at, std::size_t size) {
      return self(p).on_value(at, size);
    };
    settings.on_headers_complete = [](llhttp_t* p) { return self(p).on_head_complete(); };
    return settings;
  }
  static llhttp_t make_pristine(const llhttp_settings_t* settings) {
    llhttp_t parser;
    llhttp_init(&parser, Parser::reads_requests ? HTTP_REQUEST : HTTP_RESPONSE, settings);
    return parser;
  }
};

}  // namespace nen::detail
