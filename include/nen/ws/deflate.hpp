// permessage-deflate (RFC 7692): messages compressed and inflated by zlib, whose memory lies in the
// objects themselves. The only file that includes zlib, so that programs without it need none.
// ws, L1.
#pragma once

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <nen/core/assert.hpp>
#include <optional>
#include <span>
#include <string_view>

namespace nen::ws {

/// What became of a piece that was to be compressed.
struct deflate_progress {
  bool is_done = false;      ///< the last piece, and all of the message is written
  std::size_t consumed = 0;  ///< bytes of the piece that were taken
  std::size_t produced = 0;  ///< bytes that were written
};

/// The least room that compressing goes on with.
inline constexpr std::size_t deflate_room_bytes_min = 16;

enum class inflate_status : std::uint8_t {
  need_more,    ///< the piece was taken; the message goes on
  output_full,  ///< call again with the rest of the piece and room
  complete,     ///< the message ended where its last piece did
  too_big,      ///< it has more than bytes_max: close with message_too_big
  invalid,      ///< it is no DEFLATE, or cut off: close with invalid_frame_payload_data
};

struct inflate_progress {
  inflate_status status = inflate_status::need_more;
  std::size_t consumed = 0;  ///< bytes of the piece that were taken
  std::size_t produced = 0;  ///< bytes that were written; none of them lies behind bytes_max
};

namespace detail {

/// What a DEFLATE stream ends with when it is flushed: senders take it off a message, receivers put
/// it back (RFC 7692 §7.2.1, §7.2.2).
inline constexpr std::string_view flush_tail{"\x00\x00\xff\xff", 4};

/// Memory that zlib allocates from. It is given back all at once.
struct zlib_arena {
  char* memory;
  std::size_t size;
  std::size_t used;

  static voidpf allocate(voidpf arena, uInt items, uInt item_bytes) noexcept {
    auto& self = *static_cast<zlib_arena*>(arena);
    const std::size_t bytes = (std::size_t{items} * item_bytes + 15) / 16 * 16;
    if (bytes > self.size - self.used) return nullptr;
    char* const result = self.memory + self.used;
    self.used += bytes;
    return result;
  }
  static void release(voidpf, voidpf) noexcept {}
};

/// A stream of zlib's that allocates from an arena.
class zlib_stream {
 public:
  zlib_stream() = default;
  zlib_stream(const zlib_stream&) = delete;  // zlib keeps pointers into itself
  zlib_stream& operator=(const zlib_stream&) = delete;

  /// How much of its memory zlib uses.
  std::size_t memory_used() const noexcept { return arena_.used; }

 protected:
  void start(std::span<char> memory) noexcept {
    arena_ = {memory.data(), memory.size(), 0};
    stream_ = {};
    stream_.zalloc = zlib_arena::allocate;
    stream_.zfree = zlib_arena::release;
    stream_.opaque = &arena_;
  }
  void set_input(std::string_view in) noexcept {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = static_cast<uInt>(in.size());
  }
  void set_output(std::span<char> out) noexcept {
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
  }
  /// zlib counts in 32 bits: more is taken piece by piece.
  static constexpr std::size_t step_bytes_max = std::size_t{1} << 30;

  z_stream stream_;
  zlib_arena arena_;
};

/// What deflater does whatever its size.
class deflater_base : public zlib_stream {
 public:
  /// Compresses a piece of a message, RFC 7692 §7.2.1. Call it until the piece is consumed and, of
  /// the last one, until is_done. The bytes of all calls together are the message's payload.
  /// @param out  at least deflate_room_bytes_min (asserted)
  inline deflate_progress write(std::string_view piece, std::span<char> out, bool is_last) noexcept;

  /// Compresses a whole message.
  /// @returns  the payload's size, or nothing when the room is too small; a few more bytes than the
  ///           payload needs are. Then the next message does not refer to those before it.
  inline std::optional<std::size_t> compress(std::string_view message,
                                             std::span<char> out) noexcept;

  /// Forgets all messages, so that the next one stands alone: no_context_takeover, RFC 7692 §7.1.1.
  void reset() noexcept {
    NEN_ASSERT(window_bits_ != 0);
    deflateReset(&stream_);
    held_size_ = 0;
  }

  /// How far it refers back, as a power of two; 0 before it was opened.
  int window_bits() const noexcept { return window_bits_; }

 protected:
  inline bool open(std::span<char> memory, int window_bits, int mem_level, int level) noexcept;

 private:
  // The last bytes that zlib wrote may be the tail, which is not sent; they are kept back until
  // more come.
  char held_[flush_tail.size()];
  std::uint8_t held_size_;
  std::uint8_t window_bits_;
};

/// What inflater does whatever its size.
class inflater_base : public zlib_stream {
 public:
  /// Begins a message.
  /// @param bytes_max    the most it may inflate to
  /// @param stands_alone  it does not refer to messages before it: no_context_takeover
  inline void start_message(std::uint64_t bytes_max, bool stands_alone) noexcept;

  /// Inflates a piece of a message, RFC 7692 §7.2.2. No more than bytes_max comes out, however much
  /// there would be.
  /// @param is_last  the message ends with this piece
  inline inflate_progress read(std::string_view piece, bool is_last, std::span<char> out) noexcept;

  bool is_open() const noexcept { return is_open_; }

 protected:
  inline bool open(std::span<char> memory, int window_bits) noexcept;

 private:
  /// zlib says so of a call that did something; one that had nothing to do forgets it.
  void note_boundary(std::size_t taken, std::size_t made) noexcept {
    if (taken != 0 || made != 0) is_at_boundary_ = stream_.data_type == 128;
  }

  std::uint64_t left_;       // of bytes_max
  std::uint8_t tail_taken_;  // bytes of flush_tail that were put behind the message
  // Behind a whole block and at the beginning of a byte: the message may end here.
  bool is_at_boundary_;
  bool is_open_;
};

}  // namespace detail

/// Compresses messages. Several connections can share one as long as each message stands alone:
/// reset() before each. Zero is the closed state; it is never moved while it is open.
/// @tparam WindowBitsMax  9 to 15: how far it can refer back, as a power of two
/// @tparam MemLevel       1 to 9, of zlib: the size of its tables
template <int WindowBitsMax = 15, int MemLevel = 8>
class deflater : public detail::deflater_base {
  static_assert(WindowBitsMax >= 9 && WindowBitsMax <= 15, "zlib compresses with 9 to 15 bits");
  static_assert(MemLevel >= 1 && MemLevel <= 9, "zlib has memory levels from 1 to 9");

 public:
  /// By zlib's own account (zconf.h), and what its state takes.
  static constexpr std::size_t memory_bytes =
      (std::size_t{1} << (WindowBitsMax + 2)) + (std::size_t{1} << (MemLevel + 9)) + 6144;

  /// Makes it ready for a first message; also to go on with another window.
  /// @param window_bits  9 to WindowBitsMax: what was agreed on
  /// @param level        1 (fast) to 9 (small)
  /// @returns            false when the linked zlib needs more memory than zlib 1.2 and 1.3 do
  [[nodiscard]] bool open(int window_bits = WindowBitsMax, int level = 6) noexcept {
    NEN_ASSERT(window_bits >= 9 && window_bits <= WindowBitsMax && level >= 1 && level <= 9);
    return deflater_base::open(memory_, window_bits, MemLevel, level);
  }

 private:
  alignas(64) char memory_[memory_bytes];
};

/// Inflates messages. Zero is the closed state; it is never moved while it is open.
/// @tparam WindowBits  8 to 15: how far back messages may refer, as a power of two; whatever was
///                     agreed on has to fit. A peer that refers further back than it agreed to gets
///                     either what it meant or `invalid`, as the bytes were cut: zlib sees as much
///                     as there is in the room of one call. With 15 bits nobody can.
template <int WindowBits = 15>
class inflater : public detail::inflater_base {
  static_assert(WindowBits >= 8 && WindowBits <= 15, "DEFLATE has windows of 8 to 15 bits");

 public:
  static constexpr std::size_t memory_bytes = (std::size_t{1} << WindowBits) + 7680;

  /// Makes it ready for a first message.
  /// @returns  false when the linked zlib needs more memory than zlib 1.2 and 1.3 do
  [[nodiscard]] bool open() noexcept { return inflater_base::open(memory_, WindowBits); }

 private:
  alignas(64) char memory_[memory_bytes];
};

namespace detail {

inline bool deflater_base::open(std::span<char> memory, int window_bits, int mem_level,
                                int level) noexcept {
  start(memory);
  held_size_ = 0;
  window_bits_ = 0;
  // A negative window stands for DEFLATE without a header around it.
  if (deflateInit2(&stream_, level, Z_DEFLATED, -window_bits, mem_level, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return false;
  }
  window_bits_ = static_cast<std::uint8_t>(window_bits);
  return true;
}

inline deflate_progress deflater_base::write(std::string_view piece, std::span<char> out,
                                             bool is_last) noexcept {
  NEN_ASSERT(window_bits_ != 0 && out.size() >= deflate_room_bytes_min);
  out = out.first(std::min(out.size(), step_bytes_max));
  const std::string_view in = piece.substr(0, step_bytes_max);
  const bool is_flush = is_last && in.size() == piece.size();
  set_input(in);
  set_output(out.subspan(held_size_));
  // Z_BUF_ERROR says that there was nothing to do: a flush before had done it all.
  const int code = deflate(&stream_, is_flush ? Z_SYNC_FLUSH : Z_NO_FLUSH);
  NEN_ASSERT(code == Z_OK || code == Z_BUF_ERROR);

  std::size_t written = out.size() - stream_.avail_out;  // with what was held
  std::memcpy(out.data(), held_, held_size_);
  held_size_ = static_cast<std::uint8_t>(std::min(written, flush_tail.size()));
  written -= held_size_;
  if (held_size_ != 0) std::memcpy(held_, out.data() + written, held_size_);
  deflate_progress progress{false, in.size() - stream_.avail_in, written};
  // zlib leaves room exactly when it has nothing more to write.
  if (!is_flush || stream_.avail_out == 0) return progress;
  progress.is_done = true;
  if (held_size_ == 0) {
    // An empty message behind another, which zlib sees no reason to flush: the empty block without
    // compression that RFC 7692 §7.2.3.6 shows.
    out[0] = 0;
    progress.produced = 1;
    return progress;
  }
  NEN_ASSERT(std::string_view(held_, held_size_) == flush_tail);
  held_size_ = 0;
  return progress;
}

inline std::optional<std::size_t> deflater_base::compress(std::string_view message,
                                                          std::span<char> out) noexcept {
  std::size_t size = 0;
  while (out.size() - size >= deflate_room_bytes_min) {
    const deflate_progress progress = write(message, out.subspan(size), true);
    message.remove_prefix(progress.consumed);
    size += progress.produced;
    if (progress.is_done) return size;
  }
  reset();
  return std::nullopt;
}

inline bool inflater_base::open(std::span<char> memory, int window_bits) noexcept {
  start(memory);
  is_open_ = false;
  if (inflateInit2(&stream_, -window_bits) != Z_OK) return false;
  // zlib allocates the window later, and must not fail then.
  is_open_ = arena_.size - arena_.used >= std::size_t{1} << window_bits;
  return is_open_;
}

inline void inflater_base::start_message(std::uint64_t bytes_max, bool stands_alone) noexcept {
  NEN_ASSERT(is_open_);
  if (stands_alone) inflateReset(&stream_);
  left_ = bytes_max;
  tail_taken_ = 0;
  is_at_boundary_ = false;
}

inline inflate_progress inflater_base::read(std::string_view piece, bool is_last,
                                            std::span<char> out) noexcept {
  NEN_ASSERT(is_open_);
  inflate_progress progress;
  const auto ends = [&progress](inflate_status status) {
    progress.status = status;
    return progress;
  };
  for (;;) {
    const bool in_tail = is_last && progress.consumed == piece.size();
    const std::string_view in =
        in_tail ? flush_tail.substr(tail_taken_) : piece.substr(progress.consumed, step_bytes_max);
    const std::size_t room = static_cast<std::size_t>(
        std::min<std::uint64_t>(left_, std::min(out.size() - progress.produced, step_bytes_max)));
    if (room == 0 && left_ != 0) return ends(inflate_status::output_full);
    // Where no byte is allowed any more, zlib gets room for one, to see whether it would come.
    char excess = 0;
    set_input(in);
    set_output(room != 0 ? out.subspan(progress.produced, room) : std::span<char>(&excess, 1));
    const int code = inflate(&stream_, Z_SYNC_FLUSH);
    const std::size_t taken = in.size() - stream_.avail_in;
    if (room == 0 && stream_.avail_out == 0) return ends(inflate_status::too_big);
    const std::size_t made = room == 0 ? 0 : room - stream_.avail_out;
    progress.produced += made;
    left_ -= made;
    note_boundary(taken, made);
    if (in_tail) {
      tail_taken_ = static_cast<std::uint8_t>(tail_taken_ + taken);
    } else {
      progress.consumed += taken;
    }
    if (code == Z_STREAM_END) {
      // A block said that it is the last. The next message may refer to it all the same, so the
      // window is kept (RFC 7692 §7.2.3.4).
      inflateResetKeep(&stream_);
      continue;
    }
    if (code != Z_OK && code != Z_BUF_ERROR) return ends(inflate_status::invalid);
    if (stream_.avail_out == 0) continue;  // there may be more to write
    if (progress.consumed < piece.size() || (is_last && !in_tail)) continue;
    if (!is_last) return ends(inflate_status::need_more);
    return ends(is_at_boundary_ ? inflate_status::complete : inflate_status::invalid);
  }
}

}  // namespace detail

}  // namespace nen::ws
