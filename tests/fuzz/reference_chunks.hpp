// Reads the chunked coding the slow and obvious way, production by production of RFC 9112 §7.1:
// what the decoder makes of it, in whatever pieces, is compared with this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nen/core/ascii.hpp>
#include <nen/http/trailers.hpp>
#include <string>
#include <string_view>

namespace nen::test::fuzz {

class reference_chunks {
 public:
  enum class verdict { complete, incomplete, malformed, too_large };

  reference_chunks(std::string_view input, std::uint64_t content_max)
      : input_(input), content_max_(content_max) {
    is_ = read();
  }

  verdict is() const { return is_; }
  /// Where the coding ends. @pre complete
  std::size_t bytes() const { return at_; }
  const std::string& content() const { return content_; }
  /// The trailer fields that may be shown, each as "name=value" and a line feed.
  const std::string& trailers() const { return trailers_; }
  /// How much of what was read is extensions and trailers: surely, and with every separator. Which
  /// of them count against the limit is the decoder's own business.
  std::size_t extra_least() const { return extra_least_; }
  std::size_t extra_most() const { return extra_most_; }

 private:
  // Each function reads what it is named after. It gives false where that is not there, with
  // `ended_` set when the reason is that nothing is there any more.

  bool more() {
    if (at_ < input_.size()) return true;
    ended_ = true;
    return false;
  }
  bool literal(std::string_view expected) {
    for (const char c : expected) {
      if (!more() || input_[at_] != c) return false;
      ++at_;
    }
    return true;
  }
  template <class Predicate>
  std::size_t run_of(Predicate is_part) {
    const std::size_t begin = at_;
    while (at_ < input_.size() && is_part(input_[at_])) ++at_;
    return at_ - begin;
  }
  std::size_t white_space() {
    return run_of([](char c) { return c == ' ' || c == '\t'; });
  }
  bool token() {
    const std::size_t size = run_of(is_token_char);
    extra_least_ += size;
    return size > 0 || (more() && false);
  }
  static bool is_text(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c == '\t' || (byte >= 0x20 && byte != 0x7f);
  }

  bool chunk_size(std::uint64_t& size) {
    std::size_t digits = 0;
    for (size = 0; more() && hex_value(input_[at_]) >= 0; ++at_) {
      if (++digits > 16) return false;
      size = size * 16 + static_cast<std::uint64_t>(hex_value(input_[at_]));
    }
    return digits > 0;
  }

  bool quoted_string() {
    if (!literal("\"")) return false;
    while (more() && input_[at_] != '"') {
      if (input_[at_] == '\\') {
        ++at_;
        if (!more()) return false;
      }
      if (!is_text(input_[at_])) return false;
      ++at_;
    }
    return literal("\"");
  }

  /// *( ";" BWS name [ BWS "=" BWS value ] BWS ), but no white space at either end of them all.
  bool extensions() {
    if (!more()) return false;
    if (input_[at_] != ';') return true;
    while (input_[at_] == ';') {
      ++at_;
      white_space();
      if (!token()) return false;
      std::size_t behind = white_space();
      if (!more()) return false;
      if (input_[at_] == '=') {
        ++at_;
        white_space();
        if (!more()) return false;
        if (input_[at_] == '"' ? !quoted_string() : !token()) return false;
        behind = white_space();
        if (!more()) return false;
      }
      if (behind > 0 && input_[at_] != ';') return false;
    }
    return true;
  }

  bool trailer() {
    const std::size_t begin = at_;
    if (!token() || !literal(":")) return false;
    const std::string_view name = input_.substr(begin, at_ - 1 - begin);
    const std::size_t size = run_of(is_text);
    extra_least_ += size;
    if (!literal("\r\n")) return false;
    if (nen::detail::may_be_trailer(name)) {
      trailers_.append(name).append("=");
      trailers_.append(trim_ows(input_.substr(at_ - 2 - size, size))).append("\n");
    }
    return true;
  }

  /// Reads the trailer section and the line that ends the message.
  bool trailer_section() {
    while (more() && input_[at_] != '\r') {
      const std::size_t begin = at_;
      const bool is_trailer = trailer();
      extra_most_ += at_ - begin;
      if (!is_trailer) return false;
    }
    return literal("\r\n");
  }

  verdict read() {
    const auto refused = [this] { return ended_ ? verdict::incomplete : verdict::malformed; };
    for (;;) {
      std::uint64_t size = 0;
      if (!chunk_size(size)) return refused();
      const std::size_t begin = at_;
      const bool has_extensions = extensions();
      extra_most_ += at_ - begin;
      if (!has_extensions || !literal("\r\n")) return refused();
      if (size == 0) return trailer_section() ? verdict::complete : refused();
      if (size > content_max_ - content_.size()) return verdict::too_large;
      const std::string_view piece = input_.substr(at_, static_cast<std::size_t>(size));
      content_ += piece;
      at_ += piece.size();
      if (piece.size() < size) return verdict::incomplete;
      if (!literal("\r\n")) return refused();
    }
  }

  std::string_view input_;
  std::uint64_t content_max_;
  std::size_t at_ = 0;
  bool ended_ = false;
  std::string content_;
  std::string trailers_;
  std::size_t extra_least_ = 0;
  std::size_t extra_most_ = 0;
  verdict is_ = verdict::incomplete;
};

}  // namespace nen::test::fuzz
