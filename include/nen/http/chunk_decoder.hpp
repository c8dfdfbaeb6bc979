// Takes the chunked transfer coding (RFC 9112 §7.1) apart, in any pieces. http, L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nen/core/ascii.hpp>

namespace nen {

/// What chunk_decoder::next came upon.
enum class chunk_event : std::uint8_t {
  need_more,   ///< all bytes are used up
  chunk,       ///< a chunk of `chunk_left()` bytes (not 0) begins
  data,        ///< `data_size()` bytes of content end where `at` stands now
  trailer,     ///< `data_size()` bytes of a trailer field's line do; its CRLF belongs to it
  done,        ///< the last chunk and the trailer section are complete
  malformed,   ///< not chunked coding, or a chunk size above 64 bits
  extra_full,  ///< extensions and trailers have more bytes than allowed
};

/// A strict decoder: lines end in CRLF and nothing else, a chunk size is 1 to 16 hexadecimal
/// digits without white space after it, trailer fields have the grammar of header fields without
/// obs-fold (RFC 9112 §5). Extensions are checked and dropped, which §7.1.1 allows. It looks at one
/// byte at a time, so what it finds cannot depend on how the input was cut; only how many `data`
/// and `trailer` events a chunk or a line comes in does. Zero is the state before the first chunk.
class chunk_decoder {
 public:
  /// Goes on to the next event.
  /// @param at         in: the first unread byte; out: the first byte after the event
  /// @param end        the end of the bytes that are there
  /// @param extra_max  how many bytes extensions and trailers may have together, in this message
  chunk_event next(const char*& at, const char* end, std::uint32_t extra_max);

  /// How many bytes of the current chunk have not come yet.
  std::uint64_t chunk_left() const { return chunk_left_; }

  /// The size of the piece that the last `data` or `trailer` event was about.
  std::size_t data_size() const { return data_size_; }

 private:
  enum class state : std::uint8_t {
    size_start,      ///< at the first digit of a chunk size
    size,            ///< after the first digit
    extension,       ///< after the ';' of an extension, before its name
    ext_name,        ///< inside its name
    ext_name_end,    ///< in white space behind its name
    ext_equals,      ///< after the '=', before its value
    ext_token,       ///< inside a value that is a token
    ext_quoted,      ///< inside a value that is a quoted-string
    ext_escape,      ///< after the '\\' in one
    ext_quoted_end,  ///< after one
    ext_value_end,   ///< in white space behind a value
    size_lf,         ///< after the CR of a chunk size line
    data,            ///< inside a chunk
    data_cr,         ///< after a chunk's last byte
    data_lf,         ///< after the CR that follows it
    trailer_start,   ///< at the start of a line of the trailer section
    trailer_name,    ///< inside a field name
    trailer_value,   ///< after the ':'
    trailer_lf,      ///< after the CR of a trailer field
    last_lf,         ///< after the CR of the line that ends the message
  };

  bool step(char c);
  bool step_size(char c, bool first);
  bool step_extension(char c);
  bool step_trailer_start(char c);
  bool expect(char c, char wanted, state then);
  chunk_event trailer_piece(const char* begin, const char* end);
  bool in_trailer_line() const {
    return state_ == state::trailer_name || state_ == state::trailer_value ||
           state_ == state::trailer_lf;
  }

  std::uint64_t chunk_left_;
  std::size_t data_size_;
  std::uint32_t extra_bytes_;
  std::uint8_t digits_;
  state state_;
  bool is_last_;  ///< true exactly when the current size line said 0
};

namespace detail {

/// field-vchar, SP, HTAB and obs-text (RFC 9110 §5.5): all but the control characters.
constexpr bool is_value_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

}  // namespace detail

inline chunk_event chunk_decoder::next(const char*& at, const char* end, std::uint32_t extra_max) {
  const char* line = at;  // where the bytes of a trailer field's line begin, inside of one
  while (at != end) {
    if (state_ == state::data) {
      const auto available = static_cast<std::uint64_t>(end - at);
      data_size_ = static_cast<std::size_t>(available < chunk_left_ ? available : chunk_left_);
      at += data_size_;
      chunk_left_ -= data_size_;
      if (chunk_left_ == 0) state_ = state::data_cr;
      return chunk_event::data;
    }
    const state before = state_;
    const char c = *at;
    if (!step(c)) return chunk_event::malformed;
    ++at;
    if (extra_bytes_ > extra_max) return chunk_event::extra_full;
    if (c != '\n') continue;  // all that is left to tell of ends a line
    if (before == state::trailer_lf) return trailer_piece(line, at);
    if (before == state::last_lf) return chunk_event::done;
    if (before == state::size_lf) {
      if (!is_last_) return chunk_event::chunk;
      line = at;
    }
  }
  return in_trailer_line() && line != at ? trailer_piece(line, at) : chunk_event::need_more;
}

inline chunk_event chunk_decoder::trailer_piece(const char* begin, const char* end) {
  data_size_ = static_cast<std::size_t>(end - begin);
  return chunk_event::trailer;
}

inline bool chunk_decoder::step(char c) {
  switch (state_) {
    case state::size_start:
      return step_size(c, true);
    case state::size:
      return step_size(c, false);
    case state::extension:
    case state::ext_name:
    case state::ext_name_end:
    case state::ext_equals:
    case state::ext_token:
    case state::ext_quoted:
    case state::ext_escape:
    case state::ext_quoted_end:
    case state::ext_value_end:
      return step_extension(c);
    case state::size_lf:
      is_last_ = chunk_left_ == 0;
      return expect(c, '\n', is_last_ ? state::trailer_start : state::data);
    case state::data_cr:
      return expect(c, '\r', state::data_lf);
    case state::data_lf:
      return expect(c, '\n', state::size_start);
    case state::trailer_start:
      return step_trailer_start(c);
    case state::trailer_name:
      ++extra_bytes_;
      if (c == ':') {
        state_ = state::trailer_value;
        return true;
      }
      return is_token_char(c);
    case state::trailer_value:
      ++extra_bytes_;
      if (c == '\r') {
        state_ = state::trailer_lf;
        return true;
      }
      return detail::is_value_char(c);
    case state::trailer_lf:
      ++extra_bytes_;
      return expect(c, '\n', state::trailer_start);
    case state::last_lf:
      return expect(c, '\n', state::last_lf);
    case state::data:
      break;  // next() takes content without looking at it
  }
  return false;
}

inline bool chunk_decoder::step_size(char c, bool first) {
  const int digit = hex_value(c);
  if (digit >= 0) {
    // Sixteen digits fill 64 bits. Leading zeros count, or they could go on for ever.
    if (first) {
      digits_ = 0;
      chunk_left_ = 0;
    }
    if (digits_ == 16) return false;
    ++digits_;
    chunk_left_ = chunk_left_ << 4 | static_cast<std::uint64_t>(digit);
    state_ = state::size;
    return true;
  }
  if (first) return false;
  if (c == '\r') {
    state_ = state::size_lf;
    return true;
  }
  if (c != ';') return false;
  ++extra_bytes_;
  state_ = state::extension;
  return true;
}

/// BWS ";" BWS name [ BWS "=" BWS value ], RFC 9112 §7.1.1; the value is a token or a
/// quoted-string. White space is allowed in front of ';' and '=' only, not at the line's end.
inline bool chunk_decoder::step_extension(char c) {
  const bool is_bws = c == ' ' || c == '\t';
  const auto go = [this](state next) {
    state_ = next;
    return true;
  };
  const bool may_end =
      state_ == state::ext_name || state_ == state::ext_token || state_ == state::ext_quoted_end;
  if (c == '\r' && may_end) return go(state::size_lf);
  ++extra_bytes_;
  switch (state_) {
    case state::extension:
      return is_bws || (is_token_char(c) && go(state::ext_name));
    case state::ext_name:
      if (is_token_char(c)) return true;
      [[fallthrough]];
    case state::ext_name_end:
      if (is_bws) return go(state::ext_name_end);
      if (c == '=') return go(state::ext_equals);
      return c == ';' && go(state::extension);
    case state::ext_equals:
      if (c == '"') return go(state::ext_quoted);
      return is_bws || (is_token_char(c) && go(state::ext_token));
    case state::ext_quoted:
      if (c == '"') return go(state::ext_quoted_end);
      if (c == '\\') return go(state::ext_escape);
      return detail::is_value_char(c);
    case state::ext_escape:
      return detail::is_value_char(c) && go(state::ext_quoted);
    case state::ext_token:
      if (is_token_char(c)) return true;
      [[fallthrough]];
    case state::ext_quoted_end:
    case state::ext_value_end:
      if (is_bws) return go(state::ext_value_end);
      return c == ';' && go(state::extension);
    default:  // the states of everything but extensions
      break;
  }
  return false;
}

inline bool chunk_decoder::step_trailer_start(char c) {
  if (c == '\r') {
    state_ = state::last_lf;
    return true;
  }
  ++extra_bytes_;
  state_ = state::trailer_name;
  return is_token_char(c);  // A space here would be obs-fold, RFC 9112 §5.2.
}

inline bool chunk_decoder::expect(char c, char wanted, state then) {
  if (c != wanted) return false;
  state_ = then;
  return true;
}

}  // namespace nen
