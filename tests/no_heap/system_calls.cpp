// A seccomp filter hands each such call to a listener (man 2 seccomp_unotify), which counts it and
// lets it go on.
#include "no_heap/system_calls.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "no_heap/ledger.hpp"

namespace nen::test {

namespace {

using ledger::call;

struct watched_call {
  long number;
  call what;
};
constexpr watched_call watched[] = {{SYS_mmap, call::mmap_},
                                    {SYS_mremap, call::mremap_},
                                    {SYS_munmap, call::munmap_},
                                    {SYS_mprotect, call::mprotect_},
                                    {SYS_brk, call::brk_}};

std::atomic<int> listener{-1};
void (*answer_command)(std::string_view, int) noexcept;

/// Counts one call that waits in the listener, and lets it go on.
void take_notification(int descriptor) noexcept {
  seccomp_notif seen{};
  if (::ioctl(descriptor, SECCOMP_IOCTL_NOTIF_RECV, &seen) != 0) return;
  for (const watched_call& w : watched)
    if (w.number == seen.data.nr) ledger::count_system_call(w.what);
  seccomp_notif_resp go_on{};
  go_on.id = seen.id;
  go_on.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  (void)::ioctl(descriptor, SECCOMP_IOCTL_NOTIF_SEND, &go_on);
}

void obey(std::string_view command) noexcept {
  constexpr std::string_view phase = "phase ";
  if (!command.starts_with(phase)) return answer_command(command, STDOUT_FILENO);
  ledger::begin_phase(command.substr(phase.size()));
  (void)!::write(STDOUT_FILENO, "ok\n", 3);
}

/// Reads from standard input; commands are shorter than the buffer.
/// @returns  false when there will be no more
bool take_commands() noexcept {
  static char buffer[256];
  static std::size_t used = 0;
  const auto got = ::read(STDIN_FILENO, buffer + used, sizeof buffer - used);
  if (got <= 0) return false;
  used += static_cast<std::size_t>(got);
  while (auto* const end = static_cast<char*>(std::memchr(buffer, '\n', used))) {
    const auto size = static_cast<std::size_t>(end - buffer);
    obey({buffer, size});
    used -= size + 1;
    std::memmove(buffer, end + 1, used);
  }
  return used < sizeof buffer;
}

void* listen(void*) {
  listener.wait(-1);
  pollfd ready[] = {{listener.load(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
  for (;;) {  // to the process's end: a call that nobody lets go on would never return
    if (::poll(ready, 2, -1) < 0) continue;
    if (ready[0].revents != 0) take_notification(ready[0].fd);
    if (ready[1].revents != 0 && !take_commands()) ready[1].fd = -1;
  }
}

/// @returns  the listener's descriptor
int install_filter() noexcept {
  constexpr std::size_t calls = std::size(watched);
  sock_filter program[calls + 3] = {};
  program[0] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
  for (std::size_t i = 0; i < calls; ++i)
    program[i + 1] =
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(watched[i].number),
                 static_cast<std::uint8_t>(calls - i), 0);
  program[calls + 1] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  program[calls + 2] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
  const sock_fprog whole = {std::size(program), program};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  return static_cast<int>(
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &whole));
}

}  // namespace

int count_system_calls(void (*answer)(std::string_view, int) noexcept) noexcept {
  answer_command = answer;
  // The listener's thread is older than the filter, which is for its children only.
  pthread_t thread{};
  if (const int problem = ::pthread_create(&thread, nullptr, listen, nullptr); problem != 0)
    return problem;
  const int descriptor = install_filter();
  if (descriptor < 0) return errno;
  listener = descriptor;
  listener.notify_all();
  return 0;
}

}  // namespace nen::test
