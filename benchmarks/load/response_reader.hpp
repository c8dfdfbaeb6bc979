// Where an HTTP response ends, its status, and how long its body is: all that a load generator has
// to know about each of millions. The bytes may come in any pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace load {

enum class verdict : std::uint8_t {
  more,       ///< the answer goes on
  complete,   ///< the answer ended; what is left in the view belongs to the next one
  malformed,  ///< nothing that follows can be understood
};

class response_reader {
 public:
  /// Uses the bytes of the present response and takes them from the view.
  /// @param is_head  whether the request was HEAD
  verdict read(std::string_view& bytes, bool is_head);

  /// The connection ended. Whether this was the end of a response (RFC 9112 §6.3, rule 8).
  bool end() const { return state_ == state::until_close; }

  /// Of the response that was complete; valid until the next call of read.
  int status() const { return status_; }
  std::uint64_t length() const { return length_; }
  bool closes() const { return closes_; }

  /// For the next connection.
  void reset() { *this = {}; }

 private:
  enum class state : std::uint8_t {
    head,
    body,
    chunk_size,
    chunk_extension,
    chunk,
    chunk_end,
    trailer,
    until_close
  };

  verdict read_head(std::string_view& bytes, bool is_head);
  bool parse_head(std::string_view head, bool is_head);
  bool parse_field(std::string_view line, std::uint64_t& content_length, bool& has_length,
                   bool& is_chunked);
  verdict read_chunked(std::string_view& bytes);
  bool read_chunk_size(char c);
  bool skip(std::string_view& bytes);
  verdict finish() {
    state_ = state::head;
    return verdict::complete;
  }

  state state_ = state::head;
  bool closes_ = false;
  bool is_interim_ = false;
  bool line_is_empty_ = true;  // of the trailer section
  unsigned size_digits_ = 0;   // of the chunk's size
  int status_ = 0;
  std::uint64_t left_ = 0;  // of the body or the chunk
  std::uint64_t length_ = 0;
  std::string head_;  // what came of a head that is not whole
};

}  // namespace load
