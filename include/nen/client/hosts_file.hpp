// client, L3: the names that /etc/hosts knows, read before the loop begins, because reading a file
// may wait for a disk.
#pragma once

#include <nen/client/resolver.hpp>
#include <nen/core/ascii.hpp>
#include <nen/core/smallest.hpp>
#include <nen/net/address.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nen::detail {

/// Lines of an address and its names, see hosts(5). Zero: no names.
class hosts_file {
 public:
  static constexpr std::size_t bytes_max = 8192;  ///< what a longer file has behind them is unknown

  /// Reads a file; one that is not there has no names.
  [[gnu::cold]] void read(const char* path) noexcept {
    size_ = 0;
    const int file = ::open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    while (size_ < bytes_max) {
      const ssize_t got = ::read(file, text_ + size_, bytes_max - size_);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      size_ += static_cast<std::size_t>(got);
    }
    ::close(file);
    drop_cut_line();
  }
  /// The same from memory.
  void load(std::string_view text) noexcept {
    size_ = text.copy(text_, bytes_max);
    drop_cut_line();
  }

  /// Finds every address of a name, in the order of the lines.
  /// @param name  compared without case
  void find(std::string_view name, std::uint16_t port, resolved& into) const noexcept {
    for (std::string_view left(text_, size_); !left.empty();) {
      const std::string_view whole = left.substr(0, left.find('\n'));
      left.remove_prefix(whole.size() < left.size() ? whole.size() + 1 : left.size());
      std::string_view line = whole.substr(0, whole.find('#'));
      const std::string_view address = next_word(line);
      for (auto each = next_word(line); !each.empty(); each = next_word(line)) {
        if (!equals_ignoring_case(each, name)) continue;
        if (const auto found = endpoint::parse(address, port)) into.add(*found);
        break;
      }
    }
  }

 private:
  static std::string_view next_word(std::string_view& line) noexcept {
    constexpr std::string_view blanks = " \t\r";
    line.remove_prefix(detail::smallest(line.find_first_not_of(blanks), line.size()));
    const std::string_view word = line.substr(0, line.find_first_of(blanks));
    line.remove_prefix(word.size());
    return word;
  }
  /// What was cut off could be the rest of a name.
  void drop_cut_line() noexcept {
    if (size_ < bytes_max) return;
    while (size_ != 0 && text_[size_ - 1] != '\n') --size_;
  }

  std::size_t size_;
  char text_[bytes_max];
};

}  // namespace nen::detail
