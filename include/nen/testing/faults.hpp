// testing, L3: how often the simulated ring makes what kernels and networks make now and then.
#pragma once

#include <nen/io/completion.hpp>

#include <cstdint>

namespace nen::testing {

/// Each in thousandths of the times that it could happen.
struct faults {
  std::uint16_t short_receive = 0;    ///< fewer bytes than there are
  std::uint16_t short_send = 0;       ///< fewer bytes than asked for, although the peer is there
  std::uint16_t no_buffer = 0;        ///< ENOBUFS although a receive buffer is free
  std::uint16_t multishot_stops = 0;  ///< bytes come without F_MORE: the receive has ended
  std::uint16_t end_with_lease = 0;   ///< the peer's end uses up a receive buffer
  std::uint16_t unheard_reset = 0;    ///< a receive misses the reset that came along with bytes
  std::uint16_t reset = 0;            ///< the connection breaks instead of a receive or a send
  std::uint16_t refused_accept = 0;   ///< an errno instead of a connection
  std::uint16_t refused_connect = 0;  ///< an errno instead of a connection to somebody
  std::uint16_t short_write = 0;      ///< to a file: fewer bytes than asked for
  std::uint16_t refused_write = 0;    ///< an errno instead
  std::uint16_t late = 0;             ///< a completion comes up to late_ms_max later
  std::uint16_t cancel_misses = 0;    ///< a cancel comes too late, and its operation goes on
  bool reordered =
      false;  ///< completions of one turn come in any order (one operation's in theirs)
  bool small_submission_queue = false;  ///< it is full every few operations, and flushed
  std::uint32_t late_ms_max = 5;

  /// A bad day: some of everything.
  static constexpr faults bad_day() noexcept {
    return {.short_receive = 200,
            .short_send = 100,
            .no_buffer = 50,
            .multishot_stops = 100,
            .end_with_lease = 200,
            .unheard_reset = 500,
            .reset = 3,
            .refused_accept = 20,
            .refused_connect = 20,
            .short_write = 200,
            .refused_write = 50,
            .late = 200,
            .cancel_misses = 200,
            .reordered = true,
            .small_submission_queue = true};
  }
};

/// One operation that fails, for tests that let each fail in turn.
struct failure {
  std::uint64_t at = 0;  ///< which operation, counted from 1 in the order of submission; 0: none
  int errno_value = 0;
};

}  // namespace nen::testing
