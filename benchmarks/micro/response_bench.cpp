// What writing one answer costs, head and body.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <nen/http/json.hpp>
#include <nen/http/response.hpp>
#include <string>
#include <string_view>

#include "block_output.hpp"

namespace {

constexpr nen::response_defaults defaults{"Server: nen\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"};

template <class Handler>
void write_answer(benchmark::State& state, Handler handler) {
  static nen::bench::block_output out;
  std::size_t size = 0;
  for (auto _ : state) {
    out.restart_message();
    nen::response res(out, defaults, {});
    static_cast<void>(handler(res));
    if (res.was_replaced()) state.SkipWithError("not written");
    size = out.size();
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
  state.counters["answer_bytes"] = static_cast<double>(size);
}

void answer_text(benchmark::State& state) {
  write_answer(state, [](nen::response& res) { return res.text("Hello, World!"); });
}
void answer_text_4096(benchmark::State& state) {
  const std::string body(4096, 'x');
  write_answer(state, [&](nen::response& res) { return res.text(body); });
}
void answer_static(benchmark::State& state) {
  write_answer(state,
               [](nen::response& res) { return res.send_static("text/plain", "Hello, World!"); });
}
void answer_status(benchmark::State& state) {
  write_answer(state, [](nen::response& res) { return res.status(404); });
}
void answer_four_fields(benchmark::State& state) {
  write_answer(state, [](nen::response& res) {
    return res.field("Cache-Control", "max-age=60")
        .field("ETag", "\"0123456789abcdef\"")
        .field("Vary", "Accept-Encoding")
        .field("X-Request-Id", "0123456789abcdef")
        .text("Hello, World!");
  });
}
void answer_status_behind_fields(benchmark::State& state) {
  write_answer(state, [](nen::response& res) {
    return res.field("X-Request-Id", "0123456789abcdef")
        .set_status(nen::status::not_found)
        .text("Hello, World!");
  });
}
void answer_json(benchmark::State& state) {
  write_answer(state, [](nen::response& res) {
    return res.json({{"id", 12345}, {"name", "a \"name\""}, {"ratio", 0.25}, {"on", true}});
  });
}
void answer_stream(benchmark::State& state) {
  write_answer(state, [](nen::response& res) {
    res.begin("text/csv");
    for (int i = 0; i < 10; ++i) res.write("one,two,three\n");
    return res.finish();
  });
}

BENCHMARK(answer_text);
BENCHMARK(answer_text_4096);
BENCHMARK(answer_static);
BENCHMARK(answer_status);
BENCHMARK(answer_four_fields);
BENCHMARK(answer_status_behind_fields);
BENCHMARK(answer_json);
BENCHMARK(answer_stream);

}  // namespace
