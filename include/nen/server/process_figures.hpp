// server, L3: what the kernel knows of this process: time, memory, descriptors. Reads /proc with
// memory of the stack only.
#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace nen::detail {

inline std::uint64_t clock_ns(clockid_t which) noexcept {
  timespec now{};
  ::clock_gettime(which, &now);
  return (static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000) +
         static_cast<std::uint64_t>(now.tv_nsec);
}

/// The CPU time of all threads.
inline std::uint64_t process_cpu_ns() noexcept { return clock_ns(CLOCK_PROCESS_CPUTIME_ID); }

/// A small file of /proc: empty when it cannot be read.
class proc_text {
 public:
  explicit proc_text(const char* path) noexcept {
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    const auto count = ::read(fd, bytes_, sizeof bytes_);
    ::close(fd);
    if (count > 0) left_ = {bytes_, static_cast<std::size_t>(count)};
  }

  /// The next number behind blanks; 0 behind the last one.
  std::uint64_t number() noexcept {
    std::uint64_t value = 0;
    while (!left_.empty() && left_.front() == ' ') left_.remove_prefix(1);
    while (!left_.empty() && left_.front() >= '0' && left_.front() <= '9') {
      value = (value * 10) + static_cast<std::uint64_t>(left_.front() - '0');
      left_.remove_prefix(1);
    }
    return value;
  }
  void skip_word() noexcept {
    while (!left_.empty() && left_.front() == ' ') left_.remove_prefix(1);
    while (!left_.empty() && left_.front() != ' ') left_.remove_prefix(1);
  }
  /// Goes behind the last `c`.
  void skip_past_last(char c) noexcept {
    const auto at = left_.rfind(c);
    if (at != std::string_view::npos) left_.remove_prefix(at + 1);
  }

 private:
  char bytes_[1024];
  std::string_view left_;
};

struct process_memory {
  std::uint64_t virtual_bytes;
  std::uint64_t resident_bytes;
};

inline process_memory memory_of_process() noexcept {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  proc_text text("/proc/self/statm");
  const std::uint64_t size = text.number() * page;
  return {size, text.number() * page};
}

/// Field `number` of /proc/self/stat, proc(5), from 3 on. The name before them may hold anything.
inline std::uint64_t stat_of_process(int number) noexcept {
  proc_text text("/proc/self/stat");
  text.skip_past_last(')');
  for (int field = 3; field < number; ++field) text.skip_word();
  return text.number();
}

inline std::uint64_t threads_of_process() noexcept { return stat_of_process(20); }

/// Since 1970. Two clocks are compared for it, so that it is worked out once: it is to be the same
/// number for as long as the process lives.
inline std::uint64_t start_of_process_ns() noexcept {
  static std::uint64_t known;
  std::uint64_t start = __atomic_load_n(&known, __ATOMIC_RELAXED);
  if (start != 0) return start;
  const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  constexpr std::uint64_t ms = 1'000'000;
  const std::uint64_t booted = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
  start = (booted + (stat_of_process(22) * (1'000'000'000 / ticks))) / ms * ms;
  std::uint64_t none = 0;
  __atomic_compare_exchange_n(&known, &none, start, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return none == 0 ? start : none;
}

/// Descriptors of the process. Those of connections are the rings' own, and not among them.
inline std::uint64_t open_fds_of_process() noexcept {
  const int folder = ::open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return 0;
  alignas(std::uint64_t) char entries[2048];
  std::uint64_t count = 0;
  while (true) {
    const auto bytes = ::syscall(SYS_getdents64, folder, entries, sizeof entries);
    if (bytes <= 0) break;
    for (long at = 0; at < bytes;) {
      // An entry, getdents(2): its inode, an offset, its size in two bytes, its kind and its name.
      std::uint16_t size;
      std::memcpy(&size, entries + at + 16, sizeof size);
      if (entries[at + 19] != '.') ++count;
      at += size;
    }
  }
  ::close(folder);
  return count == 0 ? 0 : count - 1;  // without the one that this was read with
}

inline std::uint64_t fds_max_of_process() noexcept {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

}  // namespace nen::detail
