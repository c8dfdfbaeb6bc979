// core, L0: where a message's bytes are written. A cursor over fixed blocks of memory; whoever owns
// the blocks (the send queue of a connection, an array in a test) says what happens when one is
// full.
#pragma once

#include <nen/core/assert.hpp>
#include <nen/core/smallest.hpp>

#include <cstddef>
#include <cstring>
#include <string_view>

namespace nen {

/// One message is written at a time. Its head stays in one block (so that it can be completed in
/// place); its body may go on through as many blocks as the owner allows one message.
class output {
 public:
  output(const output&) = delete;
  output& operator=(const output&) = delete;

  /// Starts a message at the cursor.
  void begin_message() noexcept {
    owner_->mark(*this);
    message_ = cursor_;
    body_left_ = owner_->body_bytes_max;
  }

  /// Makes `size` contiguous bytes available at the cursor, moving the message so far to a fresh
  /// block when the current one is too short.
  /// @returns  the cursor, or nullptr when the message would not fit into a whole block
  /// @pre      the message has not left its first block
  char* room(std::size_t size) noexcept {
    if (static_cast<std::size_t>(limit_ - cursor_) >= size) [[likely]]
      return cursor_;
    return move_message(size);
  }

  /// Takes the bytes up to `end` as written. @pre `end` lies within what room() gave.
  void advance_to(char* end) noexcept {
    NEN_ASSERT(end >= cursor_ && end <= limit_);
    cursor_ = end;
  }

  /// Takes the message up to `end` as written, after bytes within it were moved.
  void shift_cursor(char* end) noexcept {
    NEN_ASSERT(end >= message_ && end <= limit_);
    cursor_ = end;
  }

  /// Counts `size` bytes as appended without writing them, for an answer to HEAD.
  bool count(std::size_t size) noexcept {
    if (size > body_left_) return false;
    body_left_ -= size;
    return true;
  }

  /// Copies `bytes` behind what is written, through as many blocks as it takes.
  /// @returns  false, with nothing written, when the message would have more than its
  /// body_bytes_max
  bool append(std::string_view bytes) noexcept {
    if (!count(bytes.size())) return false;
    while (true) {
      const auto part = detail::smallest(bytes.size(), static_cast<std::size_t>(limit_ - cursor_));
      if (part != 0) std::memcpy(cursor_, bytes.data(), part);
      cursor_ += part;
      bytes.remove_prefix(part);
      if (bytes.empty()) return true;
      const bool opened = owner_->next_block(*this);
      NEN_ASSERT(opened);
    }
  }

  /// Sends `bytes` from where they are, after all that is written so far. They must outlive the
  /// server.
  void attach(std::string_view bytes) noexcept {
    if (!bytes.empty()) owner_->attach(*this, bytes);
  }

  /// Takes the whole message back and starts another.
  void restart_message() noexcept {
    owner_->rewind(*this);
    begin_message();
  }

  /// How much append takes for one message.
  std::size_t body_bytes_max() const noexcept { return owner_->body_bytes_max; }
  /// How much append may still take for this message.
  std::size_t body_left() const noexcept { return body_left_; }

  /// First byte of the message while it is in its first block.
  char* message() const noexcept { return message_; }
  char* cursor() const noexcept { return cursor_; }

 protected:
  /// What the owner of the blocks does; plain functions, so that a table of them is constant.
  struct block_owner {
    void (*mark)(output&) noexcept;        ///< remembers the cursor for rewind
    void (*rewind)(output&) noexcept;      ///< gives back every block since the mark
    bool (*next_block)(output&) noexcept;  ///< closes the block at the cursor, opens another
    void (*attach)(output&, std::string_view) noexcept;
    std::size_t block_bytes;     ///< the most that one block, and so a head, holds
    std::size_t body_bytes_max;  ///< the most that append takes for one message
  };

  explicit constexpr output(const block_owner& owner) noexcept : owner_(&owner) {}
  ~output() = default;

  char* cursor_ = nullptr;
  char* limit_ = nullptr;
  char* message_ = nullptr;

 private:
  char* move_message(std::size_t size) noexcept {
    char* const from = message_;
    const auto written = static_cast<std::size_t>(cursor_ - from);
    if (written + size > owner_->block_bytes) return nullptr;
    cursor_ = from;
    if (!owner_->next_block(*this)) {
      cursor_ = from + written;
      return nullptr;
    }
    if (written != 0) std::memcpy(cursor_, from, written);
    message_ = cursor_;
    cursor_ += written;
    return cursor_;
  }

  const block_owner* owner_;
  std::size_t body_left_ = 0;  // what append may still take for this message
};

}  // namespace nen
