// What each byte of a WebSocket costs: unmasking against memcpy over the same bytes, and the check
// for UTF-8.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstring>
#include <nen/ws/mask.hpp>
#include <nen/ws/utf8.hpp>
#include <string>
#include <string_view>

namespace {

constexpr nen::ws::masking_key key = {0x37, 0xfa, 0x21, 0x3d};

void count_bytes(benchmark::State& state, std::size_t size) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(size));
}

/// In place, one byte behind an alignment, as payloads lie behind their heads.
void ws_unmask(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  std::string bytes(size + 1, 'x');
  for (auto _ : state) {
    nen::ws::mask(bytes.data() + 1, size, key, 1);
    benchmark::DoNotOptimize(bytes.data());
    benchmark::ClobberMemory();
  }
  count_bytes(state, size);
}

void ws_mask_copy(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const std::string from(size + 1, 'x');
  std::string to(size, '\0');
  for (auto _ : state) {
    nen::ws::mask(to.data(), from.data() + 1, size, key);
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
  count_bytes(state, size);
}

/// What ws_unmask is held against.
void ws_memcpy(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const std::string from(size + 1, 'x');
  std::string to(size, '\0');
  for (auto _ : state) {
    std::memcpy(to.data(), from.data() + 1, size);
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
  count_bytes(state, size);
}

std::string repeated(std::string_view text, std::size_t size) {
  std::string result;
  while (result.size() < size) result += text;
  return result;
}

void check(benchmark::State& state, const std::string& text) {
  if (!nen::ws::is_utf8(text)) state.SkipWithError("this is UTF-8");
  for (auto _ : state) {
    const char* at = text.data();
    benchmark::DoNotOptimize(at);
    benchmark::DoNotOptimize(nen::ws::is_utf8({at, text.size()}));
  }
  count_bytes(state, text.size());
}

void ws_utf8_ascii(benchmark::State& state) {
  check(state, repeated("The quick brown fox. ", static_cast<std::size_t>(state.range(0))));
}
/// Mostly ASCII, with a character of two bytes here and there.
void ws_utf8_mixed(benchmark::State& state) {
  check(state, repeated("Fran\xc3\xa7ois lit un livre pr\xc3\xa8s de la fen\xc3\xaatre ouverte, "
                        "puis il part sans rien dire a personne et ne revient que tard. ",
                        static_cast<std::size_t>(state.range(0))));
}
/// Three bytes a character.
void ws_utf8_cjk(benchmark::State& state) {
  check(state, repeated("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xae\xe6\x96\x87",
                        static_cast<std::size_t>(state.range(0))));
}

BENCHMARK(ws_memcpy)->Arg(20)->Arg(4096)->Arg(65'536);
BENCHMARK(ws_unmask)->Arg(20)->Arg(125)->Arg(4096)->Arg(65'536);
BENCHMARK(ws_mask_copy)->Arg(4096);
BENCHMARK(ws_utf8_ascii)->Arg(20)->Arg(4096)->Arg(65'536);
BENCHMARK(ws_utf8_mixed)->Arg(4096);
BENCHMARK(ws_utf8_cjk)->Arg(4096);

}  // namespace
