// What each message of a WebSocket costs: reading frames, writing one that goes to many, and the
// handshake's key.
#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <nen/ws/frame.hpp>
#include <nen/ws/handshake.hpp>
#include <nen/ws/message_reader.hpp>
#include <string>

namespace {

constexpr nen::ws::masking_key key = {0x37, 0xfa, 0x21, 0x3d};
constexpr std::size_t frames_per_read = 16;
constexpr nen::ws::frame_rules rules = {};

/// Several text messages as they lie in one receive buffer.
std::string messages(std::size_t size) {
  std::string result;
  const std::string text(size, 'x');
  for (std::size_t i = 0; i < frames_per_read; ++i) {
    std::array<char, nen::ws::masked_frame_head_bytes_max> head;
    char* const end =
        nen::ws::write_masked_frame_head(head.data(), {.opcode = nen::ws::opcode::text}, size, key);
    result.append(head.data(), end);
    std::string payload(size, '\0');
    nen::ws::mask(payload.data(), text.data(), size, key);
    result += payload;
  }
  return result;
}

/// Heads, unmasking and the check for UTF-8 together; the time is that of one message. Reading
/// takes the mask off, so the bytes are copied anew each time, which is a part of the time.
void ws_read_messages(benchmark::State& state) {
  const std::string input = messages(static_cast<std::size_t>(state.range(0)));
  std::string buffer(input.size(), '\0');
  nen::ws::message_reader reader{};
  std::size_t found = 0;
  while (state.KeepRunningBatch(frames_per_read)) {
    std::memcpy(buffer.data(), input.data(), input.size());
    char* at = buffer.data();
    char* const end = at + buffer.size();
    for (;;) {
      const auto event = reader.next(at, end, rules, nullptr);
      if (event.kind != nen::ws::message_event_kind::data) break;
      benchmark::DoNotOptimize(event.bytes.data());
      ++found;
    }
  }
  if (found != static_cast<std::size_t>(state.iterations())) state.SkipWithError("lost messages");
}

/// One head every time, byte by byte, as the slowest peer would send it; the time is of one frame.
void ws_read_one_by_one(benchmark::State& state) {
  const std::string input = messages(1);
  std::string buffer(input.size(), '\0');
  nen::ws::message_reader reader{};
  while (state.KeepRunningBatch(frames_per_read)) {
    std::memcpy(buffer.data(), input.data(), input.size());
    for (char* at = buffer.data(); at != buffer.data() + buffer.size();) {
      benchmark::DoNotOptimize(reader.next(at, at + 1, rules, nullptr));
    }
  }
}

/// A message of a broadcast: encoded once, whoever many it goes to.
void ws_broadcast_encode(benchmark::State& state) {
  const std::string text(static_cast<std::size_t>(state.range(0)), 'x');
  std::string slot(nen::ws::frame_head_bytes_max + text.size(), '\0');
  for (auto _ : state) {
    char* const at =
        nen::ws::write_frame_head(slot.data(), {.opcode = nen::ws::opcode::text}, text.size());
    std::memcpy(at, text.data(), text.size());
    benchmark::DoNotOptimize(slot.data());
    benchmark::ClobberMemory();
  }
}

void ws_accept_key(benchmark::State& state) {
  std::string_view request_key = "dGhlIHNhbXBsZSBub25jZQ==";
  for (auto _ : state) {
    benchmark::DoNotOptimize(request_key);
    benchmark::DoNotOptimize(nen::ws::accept_key(request_key));
  }
}

BENCHMARK(ws_read_messages)->Arg(20)->Arg(125)->Arg(1024);
BENCHMARK(ws_read_one_by_one);
BENCHMARK(ws_broadcast_encode)->Arg(64)->Arg(4096);
BENCHMARK(ws_accept_key);

}  // namespace
