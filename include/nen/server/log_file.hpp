// server, L3: where all shards write their access logs to: opened before they start, opened anew
// while they write.
#pragma once

#include <nen/core/assert.hpp>
#include <nen/core/log_options.hpp>
#include <nen/core/result.hpp>

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace nen::detail {

/// Zero is closed.
class log_file {
 public:
  /// Opens the path, or looks at the descriptor. Neither: there is no log.
  [[gnu::cold]] result<void> open(const access_log_options& options) noexcept {
    NEN_ASSERT(!is_open_ && !owns_);
    descriptor_ = options.descriptor;
    if (!options.is_wanted()) return {};
    if (!options.path.empty()) {
      if (options.path.size() >= sizeof path_ || options.path.find('\0') != options.path.npos)
        return make_error(ENAMETOOLONG, "cannot open the access log: its path is too long");
      std::memcpy(path_, options.path.data(), options.path.size());
      path_[options.path.size()] = '\0';
      descriptor_ = open_path();
      if (descriptor_ < 0)
        return make_error(errno, "cannot open the access log %s: %s", path_, std::strerror(errno));
      owns_ = true;
    }
    struct stat what {};
    if (::fstat(descriptor_, &what) != 0) {
      const int problem = errno;
      close();
      return make_error(problem, "cannot write the access log to descriptor %d: %s",
                        options.descriptor, std::strerror(problem));
    }
    is_pipe_ = S_ISFIFO(what.st_mode);
    is_open_ = true;
    return {};
  }

  /// Opens the path anew, in place of the file that is open under the same number: writes that
  /// begin from now on go to the new one. From any thread, also from a signal handler.
  /// @returns  false when there is no path, or it can't be opened; then the old file goes on
  bool reopen() const noexcept {
    if (!owns_) return false;
    const int made = open_path();
    if (made < 0) return false;
    const bool done = ::dup3(made, descriptor_, O_CLOEXEC) >= 0;
    ::close(made);
    return done;
  }

  [[gnu::cold]] void close() noexcept {
    if (owns_) ::close(descriptor_);
    descriptor_ = -1;
    owns_ = is_open_ = is_pipe_ = false;
  }

  /// -1: none.
  int descriptor() const noexcept { return is_open_ ? descriptor_ : -1; }
  bool has_path() const noexcept { return owns_; }
  /// How much it takes at once, so that whole lines of several shards never mix: a pipe takes only
  /// short writes whole (pipe(7)), a file that is appended to any.
  std::uint32_t write_bytes_max(std::uint32_t wanted) const noexcept {
    return is_pipe_ && wanted > PIPE_BUF ? PIPE_BUF : wanted;
  }

 private:
  /// A path may be a named pipe. Without O_NONBLOCK this would wait for its reader; with it, and
  /// with reading as well, it opens at once and writes wait, which only the ring does.
  int open_path() const noexcept {
    constexpr int flags = O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY;
    struct stat what {};
    const bool is_pipe = ::stat(path_, &what) == 0 && S_ISFIFO(what.st_mode);
    return ::open(path_, flags | (is_pipe ? O_RDWR : O_WRONLY), 0640);
  }

  char path_[1024];
  int descriptor_;
  bool is_open_;
  bool owns_;  // true exactly when the path was opened here
  bool is_pipe_;
};

/// A server's, where it has an access log.
template <bool HasLog>
struct log_file_holder {
  log_file file;
};
template <>
struct log_file_holder<false> {};

}  // namespace nen::detail
