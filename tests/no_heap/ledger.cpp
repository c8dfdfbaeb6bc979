// The counts lie in static storage and are atomic: whoever is counted must not notice.
#include "no_heap/ledger.hpp"

#include <dlfcn.h>
#include <execinfo.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>

namespace nen::test::ledger {

namespace {

constexpr std::size_t phases_max = 64;
constexpr const char* call_names[call_kinds] = {
    "malloc",       "calloc",          "realloc", "aligned_alloc", "free",   "free(nullptr)",
    "operator new", "operator delete", "mmap",    "mremap",        "munmap", "mprotect",
    "brk"};
constexpr const char* side_names[sides] = {"others", "exceptions"};

using counts = std::array<std::array<std::atomic<std::uint64_t>, call_kinds>, sides>;

struct phase {
  char name[48];
  counts seen;
};
std::array<phase, phases_max> phases{{{"before it listens", {}}}};
std::atomic<std::size_t> current;

/// From where a call came.
struct caller {
  std::size_t phase;
  call what;
  int depth;
  void* frames[24];
};
std::array<caller, 16> callers;
std::atomic<std::size_t> callers_seen;

thread_local side side_of_thread = side::all_others;
thread_local bool remembering = false;

void remember(std::size_t in_phase, call what) noexcept {
  if (in_phase == 0 || remembering) return;
  const auto place = callers_seen.fetch_add(1);
  if (place >= callers.size()) return;
  remembering = true;
  caller& c = callers[place];
  c.phase = in_phase;
  c.what = what;
  c.depth = ::backtrace(c.frames, sizeof c.frames / sizeof *c.frames);
  remembering = false;
}

/// A frame is its module and where in it: a name would be as long as the router's type.
void print(const caller& c) noexcept {
  std::printf("caller\t%s\t%s\n", phases[c.phase].name,
              call_names[static_cast<std::size_t>(c.what)]);
  for (int i = 0; i < c.depth; ++i) {
    Dl_info where{};
    if (::dladdr(c.frames[i], &where) == 0) continue;
    std::printf("frame\t%s\t%#zx\n", where.dli_fname,
                reinterpret_cast<std::size_t>(c.frames[i]) -
                    reinterpret_cast<std::size_t>(where.dli_fbase));
  }
}

void add(std::size_t in_phase, side who, call what) noexcept {
  phases[in_phase].seen[static_cast<std::size_t>(who)][static_cast<std::size_t>(what)].fetch_add(1);
}

}  // namespace

void begin_phase(std::string_view name) noexcept {
  const auto next = std::min(current.load() + 1, phases_max - 1);
  char* const to = phases[next].name;
  to[name.copy(to, sizeof phases[next].name - 1)] = 0;
  current = next;
}

void count(call what) noexcept {
  const auto in_phase = current.load();
  add(in_phase, side_of_thread, what);
  if (side_of_thread == side::all_others) remember(in_phase, what);
}

void count_system_call(call what) noexcept { add(current.load(), side::all_others, what); }

throwing::throwing() noexcept { side_of_thread = side::exceptions; }
throwing::~throwing() { side_of_thread = side::all_others; }

void warm_up() noexcept {
  void* frame = nullptr;
  (void)::backtrace(&frame, 1);
}

void print() noexcept {
  for (std::size_t i = 0; i <= current.load(); ++i) {
    std::printf("phase\t%s\n", phases[i].name);
    for (std::size_t s = 0; s < sides; ++s)
      for (std::size_t c = 0; c < call_kinds; ++c)
        if (const auto n = phases[i].seen[s][c].load(); n != 0)
          std::printf("count\t%s\t%s\t%s\t%ju\n", phases[i].name, side_names[s], call_names[c],
                      static_cast<std::uintmax_t>(n));
  }
  for (std::size_t i = 0; i < std::min(callers_seen.load(), callers.size()); ++i) print(callers[i]);
  std::fflush(stdout);
}

}  // namespace nen::test::ledger
