// What can be wrong with an answer or a connection, and how often it was. Any of it makes the
// program's exit code 1.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace load {

enum class failure : std::uint8_t {
  connect,     ///< no connection, or no WebSocket on it
  closed,      ///< the connection ended before the answer did; each request in flight counts
  malformed,   ///< not HTTP, or not a frame that a server may send
  status,      ///< another status than expected
  length,      ///< another length of the body than expected
  content,     ///< an echo with other bytes
  unasked,     ///< bytes for which there was no request
  timed_out,   ///< no whole answer in time; each request in flight counts
  unanswered,  ///< still in flight at the end, or due in open loop and never sent
};
inline constexpr std::size_t failure_count = 9;

inline std::string_view to_string(failure what) {
  constexpr std::array<std::string_view, failure_count> names = {
      "connect", "closed",  "malformed", "status",    "length",
      "content", "unasked", "timed_out", "unanswered"};
  return names[static_cast<std::size_t>(what)];
}

/// Counts, and the first one of all as a sentence.
struct failures {
  std::array<std::uint64_t, failure_count> counts{};
  std::string first;

  void add(failure what, std::string_view sentence, std::uint64_t times = 1) {
    counts[static_cast<std::size_t>(what)] += times;
    if (first.empty() && times != 0) first = sentence;
  }

  void add(const failures& other) {
    for (std::size_t i = 0; i < failure_count; ++i) counts[i] += other.counts[i];
    if (first.empty()) first = other.first;
  }

  std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const auto count : counts) sum += count;
    return sum;
  }
};

}  // namespace load
