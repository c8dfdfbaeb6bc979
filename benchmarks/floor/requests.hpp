// What the floor knows of HTTP: where a request ends, and the answer that it has in store.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace nen::floor {

/// What every shard does.
struct work {
  static constexpr unsigned buffer_count_max = 1024;

  bool echoes = false;
  std::size_t body_bytes = 0;                ///< of each request
  std::uint32_t answers_per_connection = 0;  ///< then it is closed; 0: never
  std::size_t answer_bytes = 0;              ///< of one answer with its head
  std::uint32_t answers_per_send = 0;
  std::size_t buffer_bytes = 4096;           ///< of a receive
  unsigned buffer_count = buffer_count_max;  ///< a power of two, as the kernel demands
  std::string answers;                       ///< repeated: a send of n answers is a prefix of it
};

/// @param body_bytes  of the answer; without any it says hello
inline void make_answers(work& chosen, std::size_t body_bytes) {
  constexpr std::size_t together_max = 256;
  constexpr std::size_t bytes_max = 1U << 20;
  std::string body = "Hello, World!";
  if (body_bytes != 0) {
    body.resize(body_bytes);
    for (std::size_t i = 0; i < body_bytes; ++i) body[i] = static_cast<char>('a' + i % 26);
  }
  const std::string answer =
      "HTTP/1.1 200 OK\r\n"
      "Server: nen\r\n"
      "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
      "Content-Type: text/plain; charset=utf-8\r\n"
      "Content-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body;
  chosen.answer_bytes = answer.size();
  chosen.answers_per_send = static_cast<std::uint32_t>(
      std::clamp<std::size_t>(bytes_max / answer.size(), 1, together_max));
  for (unsigned i = 0; i < chosen.answers_per_send; ++i) chosen.answers += answer;
}

/// Counts the requests that end, over reads that may split one anywhere: a blank line ("\r\n\r\n")
/// and as many bytes as every request's body has.
class request_counter {
 public:
  unsigned feed(std::string_view bytes, std::size_t body_bytes) {
    unsigned ends = 0;
    while (!bytes.empty()) {
      if (body_left_ != 0) {
        const std::size_t used = std::min(body_left_, bytes.size());
        bytes.remove_prefix(used);
        body_left_ -= used;
        if (body_left_ == 0) ++ends;
      } else if (body_bytes == 0) {
        return ends + heads(bytes, false);
      } else if (heads(bytes, true) != 0) {
        body_left_ = body_bytes;
      }
    }
    return ends;
  }

 private:
  /// How many heads end in the bytes. With `stops` it uses the bytes up to the first end.
  unsigned heads(std::string_view& bytes, bool stops) {
    const char* at = bytes.data();
    const char* const end = at + bytes.size();
    unsigned found = 0;
    while (at != end && matched_ != 0 && !(stops && found != 0)) found += step(*at++);
    while (end - at >= 4 && !(stops && found != 0)) {
      if (at[3] == '\n') {  // The fourth byte alone tells how far the next possible start is.
        const bool is_end = at[0] == '\r' && at[1] == '\n' && at[2] == '\r';
        found += is_end ? 1U : 0U;
        at += is_end ? 4 : 2;
      } else {
        at += at[3] == '\r' ? 1 : 4;
      }
    }
    while (at != end && !(stops && found != 0)) found += step(*at++);
    bytes.remove_prefix(static_cast<std::size_t>(at - bytes.data()));
    return found;
  }

  unsigned step(char byte) {
    if (byte != "\r\n\r\n"[matched_]) {
      matched_ = byte == '\r' ? 1 : 0;
      return 0;
    }
    matched_ = static_cast<std::uint8_t>((matched_ + 1) % 4);
    return matched_ == 0 ? 1 : 0;
  }

  std::uint8_t matched_ = 0;  // bytes of a blank line that the stream ends with
  std::size_t body_left_ = 0;
};

}  // namespace nen::floor
