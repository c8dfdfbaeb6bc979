// server, L3: keeps a TCP session's incomplete input until the rest of it has come.
#pragma once

#include <nen/core/assert.hpp>
#include <nen/core/smallest.hpp>

#include <cstddef>
#include <cstring>
#include <span>

namespace nen::tcp {

/// A member of a session whose protocol has messages of up to N bytes:
///
///   tcp::gather<512> input;
///   std::size_t on_data(tcp::peer& me, std::span<const std::byte> bytes) {
///     return input.feed(bytes, [&](auto all) { return answer_one(me, all); });
///   }
///
/// A longer one is kept up to N bytes; then feed uses none, and the connection is closed as
/// stalled.
template <std::size_t N>
class gather {
 public:
  /// Calls use(span) with all that is there in one piece, again and again while it uses some;
  /// keeps the rest. What is complete where it came is not copied.
  /// @param bytes  what came; nothing: to go on with what is kept, in on_writable for example
  /// @param use    std::size_t(std::span<const std::byte>): how many bytes it used; 0: there have
  ///               to be more of them, or it can't go on now
  /// @returns      how many of `bytes` were used or are kept: what on_data returns
  template <class F>
  std::size_t feed(std::span<const std::byte> bytes, F use) {
    std::size_t taken = 0;
    while (size_ != 0) {
      taken += keep(bytes.subspan(taken));
      const std::size_t used = use(std::span<const std::byte>(bytes_, size_));
      NEN_ASSERT(used <= size_);
      if (used == 0) return taken;
      size_ -= used;
      if (size_ <= taken) {  // these are the last ones that came: they lie in one piece there, too
        taken -= size_;
        size_ = 0;
      } else {
        std::memmove(bytes_, bytes_ + used, size_);
      }
    }
    while (taken != bytes.size()) {
      const std::size_t used = use(bytes.subspan(taken));
      NEN_ASSERT(used <= bytes.size() - taken);
      if (used == 0) break;
      taken += used;
    }
    return taken + keep(bytes.subspan(taken));
  }

  /// Bytes that wait for the rest of their message.
  std::size_t size() const noexcept { return size_; }

 private:
  std::size_t keep(std::span<const std::byte> bytes) noexcept {
    const std::size_t count = detail::smallest(bytes.size(), N - size_);
    if (count != 0) std::memcpy(bytes_ + size_, bytes.data(), count);
    size_ += count;
    return count;
  }

  std::size_t size_ = 0;
  std::byte bytes_[N];
};

}  // namespace nen::tcp
