// An output over small blocks of its own for tests: what is written can be read back as one string,
// and a byte written outside a block does not go unnoticed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <nen/core/output.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace nen::test {

/// Keeps the contract of the send queue: as many blocks a message as a head and the longest body
/// need, and bytes that are attached lie behind what a block holds.
class memory_output final : public output {
 public:
  /// @param block_bytes     of every block
  /// @param body_bytes_max  the longest body that is copied
  explicit memory_output(std::size_t block_bytes = 4096, std::size_t body_bytes_max = 16384)
      : output(owner_),
        owner_{mark, rewind, next_block, attach_view, block_bytes, body_bytes_max} {}
  ~memory_output() { check_all(); }

  /// Everything written so far, in the order in which it would be sent.
  std::string text() const {
    check_all();
    std::string all;
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      const block& b = blocks_[i];
      const bool open = i + 1 == blocks_.size();
      all.append(b.begin(), open ? static_cast<std::size_t>(cursor_ - b.begin()) : b.used);
      all.append(b.view);
    }
    return all;
  }

  /// Blocks in use; a message that does not fit behind the one before it begins a new one.
  std::size_t blocks() const { return blocks_.size(); }

  /// How often all that was written of a message was taken back.
  int rewinds() const { return rewinds_; }

  /// True when some block holds a view of exactly these bytes, at this address.
  bool refers_to(std::string_view bytes) const {
    return std::any_of(blocks_.begin(), blocks_.end(), [&](const block& b) {
      return b.view.data() == bytes.data() && b.view.size() == bytes.size();
    });
  }

 private:
  static constexpr std::size_t guard_bytes = 32;
  static constexpr char guard = '\x5a';
  static constexpr char fresh = '\xee';  // what a block holds before it is written to

  struct block {
    std::unique_ptr<char[]> memory;
    std::size_t used;
    std::string_view view;

    char* begin() const { return memory.get() + guard_bytes; }
  };

  static memory_output& self(output& o) { return static_cast<memory_output&>(o); }

  static void mark(output& o) noexcept {
    memory_output& m = self(o);
    m.mark_blocks_ = m.blocks_.size();
    m.mark_cursor_ = m.cursor_;
    m.mark_limit_ = m.limit_;
    m.opened_ = 0;
  }

  static void rewind(output& o) noexcept {
    memory_output& m = self(o);
    m.check_all();
    m.blocks_.resize(m.mark_blocks_);
    m.cursor_ = m.mark_cursor_;
    m.limit_ = m.mark_limit_;
    if (m.cursor_ != m.limit_) {
      m.blocks_.back().view = {};
      std::memset(m.cursor_, fresh, static_cast<std::size_t>(m.limit_ - m.cursor_));
    }
    m.opened_ = 0;
    ++m.rewinds_;
  }

  static bool next_block(output& o) noexcept {
    memory_output& m = self(o);
    const std::size_t size = m.owner_.block_bytes;
    if (m.opened_ == (m.owner_.body_bytes_max + size - 1) / size + 1) return false;
    ++m.opened_;
    if (!m.blocks_.empty()) {
      m.blocks_.back().used = static_cast<std::size_t>(m.cursor_ - m.blocks_.back().begin());
      NEN_ASSERT(m.blocks_.back().used + m.blocks_.back().view.size() != 0);
    }
    block b{std::make_unique<char[]>(size + 2 * guard_bytes), 0, {}};
    std::memset(b.memory.get(), guard, size + 2 * guard_bytes);
    std::memset(b.begin(), fresh, size);
    m.cursor_ = b.begin();
    m.limit_ = b.begin() + size;
    m.blocks_.push_back(std::move(b));
    return true;
  }

  static void attach_view(output& o, std::string_view bytes) noexcept {
    memory_output& m = self(o);
    NEN_ASSERT(!m.blocks_.empty() && m.blocks_.back().view.empty());
    m.blocks_.back().view = bytes;
    m.limit_ = m.cursor_;
  }

  /// Stops the test program when a byte before or behind a block was written.
  void check_all() const {
    for (const block& b : blocks_) {
      const char* const behind = b.begin() + owner_.block_bytes;
      for (std::size_t i = 0; i < guard_bytes; ++i)
        NEN_ASSERT(b.memory[i] == guard && behind[i] == guard);
    }
  }

  block_owner owner_;
  std::vector<block> blocks_;
  std::size_t mark_blocks_ = 0;
  char* mark_cursor_ = nullptr;
  char* mark_limit_ = nullptr;
  std::size_t opened_ = 0;  // for the message
  int rewinds_ = 0;
};

}  // namespace nen::test
