// A server with every kind of route, or of raw TCP, and little of everything, so that all of it
// runs out. It counts who asks for memory: no_heap_server wait|shed patient|hasty [tcp], then
// commands on standard input.
#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <nen/server/systemd.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include <nen/core/access.hpp>
#include <nen/core/cidr.hpp>
#include <nen/server/client_gate.hpp>

#include "no_heap/ledger.hpp"
#include "no_heap/routes.hpp"
#include "no_heap/system_calls.hpp"
#include "no_heap/talker.hpp"

namespace nen::test::no_heap {

namespace {

/// Keeps the compiler from leaving out what is only taken and given back.
void* used(void* bytes) {
  asm volatile("" : "+r"(bytes) : : "memory");
  return bytes;
}

struct way {
  std::string_view name;
  void (*take)();
};
constexpr std::size_t page = 4096;
void* map_a_page() {
  return used(::mmap(nullptr, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}
struct alignas(64) wide {
  char bytes[64];
};

/// Each takes memory once and gives it back.
constexpr way ways[] = {
    {"malloc", [] { std::free(used(std::malloc(40))); }},
    {"calloc", [] { std::free(used(std::calloc(4, 10))); }},
    {"realloc", [] { std::free(used(std::realloc(used(nullptr), 40))); }},
    {"aligned_alloc", [] { std::free(used(std::aligned_alloc(64, 128))); }},
    {"posix_memalign",
     [] {
       void* bytes = nullptr;
       if (::posix_memalign(&bytes, 64, 128) == 0) std::free(used(bytes));
     }},
    {"strdup", [] { std::free(used(::strdup("libc asks for it"))); }},
    {"new", [] { delete static_cast<char*>(used(new char)); }},
    {"new_array", [] { delete[] static_cast<char*>(used(new char[40])); }},
    {"new_nothrow", [] { ::operator delete(used(::operator new(40, std::nothrow))); }},
    {"new_aligned", [] { delete static_cast<wide*>(used(new wide)); }},
    {"string",
     [] {
       std::string text(100, 'x');
       used(text.data());
     }},
    {"free_nothing", [] { std::free(used(nullptr)); }},
    {"mmap", [] { ::munmap(map_a_page(), page); }},
    {"raw_mmap",
     [] {
       const long at = ::syscall(SYS_mmap, 0L, page, static_cast<long>(PROT_READ),
                                 static_cast<long>(MAP_PRIVATE | MAP_ANONYMOUS), -1L, 0L);
       ::syscall(SYS_munmap, at, page);
     }},
    {"mprotect",
     [] {
       void* const bytes = map_a_page();
       ::mprotect(bytes, page, PROT_NONE);
       ::munmap(bytes, page);
     }},
    {"mremap", [] { ::munmap(::mremap(map_a_page(), page, 2 * page, MREMAP_MAYMOVE), 2 * page); }},
    {"brk",
     [] {
       used(::sbrk(page));
       used(::sbrk(-static_cast<std::intptr_t>(page)));
     }},
};

constexpr config small = {.shards = 2,
                          .connections = 16,
                          .receive_buffers = 4,
                          .receive_buffer_bytes = 512,
                          .send_slots = 7,
                          .send_slot_bytes = 1024,
                          .response_bytes_max = 2048,
                          .head_slots = 3,
                          .head_bytes_max = 1024,
                          .fields_max = 16,
                          .target_bytes_max = 256,
                          .streams = 2,
                          .body_slots = 2,
                          .body_bytes_max = 2048,
                          .client_limits = 32,
                          .request_ids = true,
                          .log_bytes = 8 * KiB,
                          .websockets = 4,
                          .ws_message_slots = 2,
                          .ws_message_bytes_max = 8192,
                          .ws_broadcast_slots = 4,
                          .ws_broadcast_bytes_max = 1024,
                          .ws_views = 8};
// Clients whom the tests do not come from unless they mean to.
constexpr auto proxy = cidrs<"127.0.9.9">;
constexpr auto denied = cidrs<"127.0.8.0/24", "203.0.113.0/24">;
constexpr access_rules rules{.allow = {}, .deny = denied};
access_control control(rules);

nen::server<routes, small> server;
nen::tcp::server<talker, small> tcp_server;

struct named_counter {
  const char* name;
  counter shard_counters::*value;
};
#define NEN_NAMED(which) \
  { #which, &shard_counters::which }
constexpr named_counter counters[] = {NEN_NAMED(connections_accepted),
                                      NEN_NAMED(connections_closed),
                                      NEN_NAMED(connections_shed),
                                      NEN_NAMED(connections_evicted),
                                      NEN_NAMED(accept_pauses),
                                      NEN_NAMED(accepts_failed),
                                      NEN_NAMED(drain_aborts),
                                      NEN_NAMED(receive_errors),
                                      NEN_NAMED(send_errors),
                                      NEN_NAMED(stale_completions),
                                      NEN_NAMED(connections_limited),
                                      NEN_NAMED(connections_denied),
                                      NEN_NAMED(connections_blacklisted),
                                      NEN_NAMED(clients_blacklisted),
                                      NEN_NAMED(proxy_headers_rejected),
                                      NEN_NAMED(requests_limited),
                                      NEN_NAMED(requests_denied),
                                      NEN_NAMED(client_slots_evicted),
                                      NEN_NAMED(bytes_received),
                                      NEN_NAMED(bytes_sent),
                                      NEN_NAMED(requests),
                                      NEN_NAMED(requests_rejected),
                                      NEN_NAMED(requests_deferred),
                                      NEN_NAMED(responses_replaced),
                                      NEN_NAMED(handler_exceptions),
                                      NEN_NAMED(receive_buffers_empty),
                                      NEN_NAMED(receive_buffers_evicted),
                                      NEN_NAMED(send_slots_empty),
                                      NEN_NAMED(send_slots_evicted),
                                      NEN_NAMED(head_slots_empty),
                                      NEN_NAMED(head_slots_evicted),
                                      NEN_NAMED(body_slots_empty),
                                      NEN_NAMED(tasks_empty),
                                      NEN_NAMED(task_frames_empty),
                                      NEN_NAMED(spawned_tasks_empty),
                                      NEN_NAMED(shard_calls_empty),
                                      NEN_NAMED(polls_empty),
                                      NEN_NAMED(streams_empty),
                                      NEN_NAMED(websockets_opened),
                                      NEN_NAMED(websockets_closed),
                                      NEN_NAMED(websockets_full),
                                      NEN_NAMED(ws_messages),
                                      NEN_NAMED(ws_sends_full),
                                      NEN_NAMED(ws_message_slots_empty),
                                      NEN_NAMED(ws_message_slots_evicted),
                                      NEN_NAMED(ws_control_rooms_empty),
                                      NEN_NAMED(ws_views_empty),
                                      NEN_NAMED(ws_broadcast_slots_empty),
                                      NEN_NAMED(log_lines),
                                      NEN_NAMED(log_lines_dropped),
                                      NEN_NAMED(log_write_errors),
                                      NEN_NAMED(timeouts_websocket),
                                      NEN_NAMED(timeouts_message),
                                      NEN_NAMED(timeouts_head),
                                      NEN_NAMED(timeouts_body),
                                      NEN_NAMED(timeouts_handler),
                                      NEN_NAMED(timeouts_write),
                                      NEN_NAMED(timeouts_idle),
                                      NEN_NAMED(timeouts_linger)};
#undef NEN_NAMED
static_assert(std::size(counters) * sizeof(counter) + sizeof(closes_by_reason) ==
                  sizeof(shard_counters),
              "a counter is missing from this list");

/// Which of the two serves.
bool is_raw_tcp = false;

const shard_counters& counters_of(std::uint32_t shard) {
  return is_raw_tcp ? tcp_server.counters(shard) : server.counters(shard);
}

/// The answer to any command: every counter, over all shards.
void say_counters(std::string_view, int descriptor) noexcept {
  static char text[4096];
  std::size_t used = 0;
  for (const named_counter& c : counters) {
    std::uint64_t sum = 0;
    for (std::uint32_t i = 0; i < small.shards; ++i) sum += (counters_of(i).*c.value).value();
    used += static_cast<std::size_t>(std::snprintf(text + used, sizeof text - used, "%s=%ju ",
                                                   c.name, static_cast<std::uintmax_t>(sum)));
  }
  text[used - 1] = '\n';
  (void)!::write(descriptor, text, used);
}

void listening(std::string_view address) {
  ledger::begin_phase("listens");
  char line[64];
  const int size =
      std::snprintf(line, sizeof line, "%.*s\n", static_cast<int>(address.size()), address.data());
  (void)!::write(STDOUT_FILENO, line, static_cast<std::size_t>(size));
}

/// What a handler's calls lead to must be countable: glibc's heap does not grow meanwhile.
void calm_the_allocator() {
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_TOP_PAD, 1 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
  std::free(used(std::malloc(100'000)));
}

listen_options options_of(bool sheds, bool patient) {
  using ms = std::chrono::milliseconds;
  listen_options o{.host = "127.0.0.1", .port = 0, .on_listening = listening};
  o.overload = sheds ? overload::shed : overload::wait;
  o.header_timeout = ms(patient ? 60'000 : 400);
  o.body_timeout = ms(patient ? 60'000 : 400);
  o.handler_timeout = ms(patient ? 60'000 : 400);
  o.write_timeout = ms(patient ? 60'000 : 500);
  o.idle_timeout = ms(patient ? 60'000 : 700);
  o.clients.idle_timeout = ms(200);  // those that it has to itself count as somebody
  o.linger_timeout = ms(patient ? 60'000 : 300);
  o.drain_timeout = ms(patient ? 5'000 : 200);
  o.limits = {.requests_per_second = 4'000'000, .request_burst = 4'000'000};
  o.access = &control;
  o.trusted_proxies = proxy;
  o.forwarded = forwarded_field::x_forwarded_for;
  o.access_log = {.path = "/dev/null", .format = log_format::json};
  return o;
}

}  // namespace

reply take_memory(std::string_view name, std::uint32_t times, response& res) {
  for (const way& w : ways) {
    if (w.name != name) continue;
    for (std::uint32_t i = 0; i < times; ++i) w.take();
    return res.text("taken and given back");
  }
  return res.status(404);
}

}  // namespace nen::test::no_heap

int main(int argc, char** argv) {
  using namespace nen::test;
  if (argc != 3 && argc != 4) {
    std::fputs("usage: no_heap_server wait|shed patient|hasty [tcp]\n", stderr);
    return 2;
  }
  const std::string_view when_full = argv[1];
  const std::string_view patience = argv[2];
  no_heap::calm_the_allocator();
  ledger::warm_up();
  if (const int problem = count_system_calls(no_heap::say_counters); problem != 0) {
    std::fprintf(stderr, "cannot count system calls with seccomp: %s\n", std::strerror(problem));
    return 77;
  }
  auto options = no_heap::options_of(when_full == "shed", patience == "patient");
  no_heap::is_raw_tcp = argc == 4;
  static nen::systemd::notifier systemd;  // tells nobody where NOTIFY_SOCKET is not set
  options.systemd_notify = &systemd;
  const auto ended =
      no_heap::is_raw_tcp ? no_heap::tcp_server.run(options) : no_heap::server.run(options);
  ledger::begin_phase("after its end");
  ledger::print();
  no_heap::say_counters({}, STDOUT_FILENO);
  return ended.exit_code();
}
