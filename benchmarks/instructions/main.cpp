// How many instructions the server takes for an answer. It takes the command line of the load
// generator and plays its requests on the simulated ring, for callgrind to count: measure.py is who
// starts it. Whatever comes before the answers that are counted is not.
#include <gnu/libc-version.h>
#include <valgrind/callgrind.h>
#include <nen/http/llhttp.hpp>

#include <cstdio>

#include "traffic.hpp"

namespace {

#if defined(__clang__)
constexpr const char* compiler = "clang++";
constexpr int compiler_version = __clang_major__;
#else
constexpr const char* compiler = "g++";
constexpr int compiler_version = __GNUC__;
#endif

/// Afterwards every pool has been used, and every buffer been sent from.
constexpr std::uint64_t cycles_before = 3;

/// As many whole cycles as it takes to have the answers that --requests asks for.
std::uint64_t count(instructions::traffic& clients, std::uint64_t requests) {
  const std::uint64_t in_cycle = clients.rounds_in_cycle();
  const std::uint64_t answers = in_cycle * clients.answers_in_round();
  const std::uint64_t cycles = requests == 0 ? 1 : (requests + answers - 1) / answers;
  for (std::uint64_t i = 0; i < cycles_before * in_cycle; ++i) clients.round();
  CALLGRIND_START_INSTRUMENTATION;
  for (std::uint64_t i = 0; i < cycles * in_cycle; ++i) clients.round();
  CALLGRIND_STOP_INSTRUMENTATION;
  return cycles * answers;
}

}  // namespace

int main(int argc, char** argv) {
  const load::options o = load::read_options(argc, argv);
  auto& server = o.protocol == load::protocol::bytes ? instructions::tcp_server()
                                                     : instructions::http_server();
  std::uint64_t answers = 0;
  {
    instructions::traffic clients(o, server);
    answers = count(clients, o.requests);
    clients.close_all();
  }
  server.end();
  std::printf("{\"answers\": %llu, \"built\": \"%s %d, llhttp %d.%d, glibc %s\"}\n",
              static_cast<unsigned long long>(answers), compiler, compiler_version,
              LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR, gnu_get_libc_version());
  return 0;
}
