// server, L3: a shard's part of the access log: lines that wait for the ring to write them. Nothing
// ever waits for them.
#pragma once

#include <nen/core/assert.hpp>
#include <nen/core/log_options.hpp>
#include <nen/core/timer_wheel.hpp>
#include <nen/http/log_line.hpp>
#include <nen/io/completion.hpp>
#include <nen/server/counters.hpp>

#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace nen {

namespace detail {

/// Whole lines in a ring of bytes, none of which goes round its end, so that all that waits can be
/// written in one piece or two. Zero is empty.
template <std::uint32_t Bytes>
class line_queue {
 public:
  bool empty() const noexcept { return begin_ == end_ && !wrapped_; }

  /// @returns  room for a line of log_line_bytes_max bytes, or null
  char* room() const noexcept { return const_cast<char*>(place()); }

  /// Takes what was written at room().
  void push(std::size_t bytes) noexcept {
    const char* const at = place();
    NEN_ASSERT(at != nullptr && bytes <= log_line_bytes_max);
    if (at == bytes_ && end_ != 0) {
      wrap_at_ = end_;
      wrapped_ = true;
      end_ = 0;
    }
    end_ += static_cast<std::uint32_t>(bytes);
    ++lines_;
  }

  /// The oldest lines, as many as lie together and have at most so many bytes.
  /// @param bytes_max  at least log_line_bytes_max
  std::string_view front(std::size_t bytes_max) const noexcept {
    const std::string_view all(bytes_ + begin_, (wrapped_ ? wrap_at_ : end_) - begin_);
    if (all.size() <= bytes_max) return all;
    return all.substr(0, all.rfind('\n', bytes_max - 1) + 1);
  }

  void pop(std::size_t bytes) noexcept {
    for (std::size_t i = 0; i < bytes; ++i) lines_ -= bytes_[begin_ + i] == '\n';
    begin_ += static_cast<std::uint32_t>(bytes);
    if (wrapped_ && begin_ == wrap_at_) {
      wrapped_ = false;
      begin_ = 0;
    }
    if (begin_ == end_ && !wrapped_) begin_ = end_ = 0;
  }

  /// Of all lines that wait.
  std::uint32_t bytes() const noexcept {
    return wrapped_ ? wrap_at_ - begin_ + end_ : end_ - begin_;
  }
  /// Lines of which at least a part waits.
  std::uint32_t lines() const noexcept { return lines_; }
  void clear() noexcept {
    begin_ = end_ = lines_ = 0;
    wrapped_ = false;
  }

 private:
  const char* place() const noexcept {
    if (wrapped_) return begin_ - end_ >= log_line_bytes_max ? bytes_ + end_ : nullptr;
    if (Bytes - end_ >= log_line_bytes_max) return bytes_ + end_;
    return begin_ >= log_line_bytes_max ? bytes_ : nullptr;
  }

  std::uint32_t begin_;
  std::uint32_t end_;
  std::uint32_t wrap_at_;  // valid when wrapped: where the lines at the end of the memory end
  std::uint32_t lines_;
  bool wrapped_;  // true exactly when the last line lies in front of the first
  char bytes_[Bytes];
};

}  // namespace detail

/// Lives in its shard, zero until it is opened. One write is in flight at most.
/// @tparam Bytes  for lines that wait
template <std::uint32_t Bytes>
class access_log {
  static_assert(std::has_single_bit(Bytes) && Bytes >= 8192,
                "config::log_bytes must be 0, or a power of two and at least 8 KiB");

 public:
  /// True for completions that belong to the log.
  static constexpr bool owns(token t) noexcept { return t == name || t == cancel_name; }

  void start(const access_log_options& options) noexcept {
    writer_ = log_line_writer(options.format);
    sample_ = options.sample;
    seen_ = 0;
    always_from_ = options.always_from_status;
    status_min_ = options.status_min;
    open(options.descriptor, Bytes);
    hurries_ = rests_ = false;
    failures_ = 0;
  }
  /// @param write_bytes_max  what the descriptor takes at once without mixing it with others' lines
  void open(int descriptor, std::uint32_t write_bytes_max) noexcept {
    descriptor_ = descriptor;
    write_bytes_max_ = write_bytes_max;
  }

  /// True when an answer with this status is to be logged; each is asked for once.
  bool wants(int status) noexcept {
    if (descriptor_ < 0 || (status >= 0 && status < status_min_)) return false;
    if (sample_ <= 1 || status >= always_from_) return true;
    if (++seen_ < sample_) return false;
    seen_ = 0;
    return true;
  }

  void add(const log_entry& entry, shard_counters& counters) noexcept {
    char* const room = lines_.room();
    if (room == nullptr) return counters.log_lines_dropped.add();
    lines_.push(static_cast<std::size_t>(writer_.write(room, entry) - room));
    counters.log_lines.add();
  }

  /// At a turn's end: has the ring write what waits. A write of a file costs the kernel some ten
  /// microseconds, so that lines which follow others soon are gathered for one.
  /// @param is_last  nothing but the log keeps the shard from ending
  template <class Ring>
  void settle(Ring& ring, bool is_last, timer_wheel& timers, shard_counters& counters) noexcept {
    if (writing_ || lines_.empty()) return;
    if (is_last && failures_ >= failures_max) return drop_all(counters);
    const bool is_urgent = is_last || hurries_ || lines_.bytes() >= gathered_bytes;
    if (rests_ && !hurries_) return;
    if (!is_urgent && timer.armed()) return;
    const tick now = ring.now_ms();
    if (!is_urgent && now - write_began_ < gather_ms)
      return timers.arm(timer, write_began_ + gather_ms);
    if (!hurries_) timers.cancel(timer);
    writing_ = true;
    write_began_ = now;
    ring.write(name, descriptor_, lines_.front(write_bytes_max_));
  }

  /// A write of its own, or the cancel of one, has completed.
  /// @returns  an errno to tell people about, the first of several; else 0
  int completed(const completion& done, timer_wheel& timers, tick now,
                shard_counters& counters) noexcept {
    if (done.token == cancel_name) {
      cancelling_ = false;
      return 0;
    }
    NEN_ASSERT(writing_);
    writing_ = false;
    if (done.result > 0) {
      lines_.pop(static_cast<std::size_t>(done.result));
      failures_ = 0;
      return 0;
    }
    if (gives_up_) {
      drop_all(counters);
      return 0;
    }
    const bool is_full =
        done.result == -EAGAIN || done.result == -EINTR || done.result == -ECANCELED;
    if (is_full && hurries_) drop_all(counters);
    if (!hurries_) {
      timers.arm(timer, now + (is_full ? full_ms : failed_ms));
      rests_ = true;
    }
    if (is_full) return 0;
    counters.log_write_errors.add();
    return failures_++ == 0 ? -done.result : 0;
  }

  /// The shard has to end: what can't be written soon is given up.
  void hurry(timer_wheel& timers, tick now) noexcept {
    hurries_ = true;
    rests_ = false;
    timers.arm(timer, now + hurry_ms);
  }
  /// Its timer is due.
  template <class Ring>
  void on_timer(Ring& ring, shard_counters& counters) noexcept {
    rests_ = false;
    if (!hurries_ || gives_up_) return;
    gives_up_ = true;
    if (!writing_) return drop_all(counters);
    cancelling_ = true;
    ring.cancel(cancel_name, name);
  }

  /// True when nothing of it is left to do.
  bool is_over() const noexcept { return !writing_ && !cancelling_ && lines_.empty(); }
  void finish(timer_wheel& timers) noexcept {
    NEN_ASSERT(is_over());
    timers.cancel(timer);
    gives_up_ = false;
  }
  /// What is in flight.
  std::size_t operations() const noexcept {
    return std::size_t{writing_} + std::size_t{cancelling_};
  }

  /// Armed while lines are gathered or writing rests after a failure, and when it has to come to an
  /// end.
  nen::timer timer;

 private:
  static constexpr token name{operation::write, 0, 0};
  static constexpr token cancel_name{operation::cancel, 0, 0xffff'ffff};
  static constexpr std::uint32_t gather_ms = 20;
  static constexpr std::uint32_t gathered_bytes = Bytes / 4;
  static constexpr std::uint32_t full_ms = 10;
  static constexpr std::uint32_t failed_ms = 1000;
  static constexpr std::uint32_t hurry_ms = 200;
  static constexpr std::uint32_t failures_max = 2;  // when nothing else is left to do

  void drop_all(shard_counters& counters) noexcept {
    counters.log_lines_dropped.add(lines_.lines());
    lines_.clear();
  }

  log_line_writer writer_;
  detail::line_queue<Bytes> lines_;
  int descriptor_;
  std::uint32_t write_bytes_max_;
  std::uint32_t sample_;
  std::uint32_t seen_;  // since the last one of the sample
  int always_from_;
  int status_min_;
  tick write_began_;        // of the last one
  std::uint32_t failures_;  // writes in a row that ended with an error
  bool writing_;            // true exactly when a write is in flight
  bool cancelling_;         // true exactly when its cancel is
  bool rests_;              // true exactly when it waits for its time after a failure
  bool hurries_;
  bool gives_up_;
};

/// Where there is none.
template <>
class access_log<0> {
 public:
  static constexpr bool is_over() noexcept { return true; }
  static constexpr std::size_t operations() noexcept { return 0; }
  static void start(const access_log_options&) noexcept {}
  static void finish(timer_wheel&) noexcept {}
  static void hurry(timer_wheel&, tick) noexcept {}
  template <class Ring>
  static void settle(Ring&, bool, timer_wheel&, shard_counters&) noexcept {}
};

}  // namespace nen
