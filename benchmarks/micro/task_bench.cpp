// What a coroutine costs beyond the code in it: its frame, its start, its co_await.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <nen/core/frame_pool.hpp>
#include <nen/io/task.hpp>
#include <nen/io/when.hpp>
#include <nen/nen.hpp>
#include <nen/testing/simulated_server.hpp>
#include <string>

namespace {

constexpr std::array<nen::frame_class, 4> classes = {
    {{256, 4096}, {512, 1024}, {1024, 256}, {4096, 64}}};
nen::frame_pool<classes> frames;

/// Owns a tree that it does nothing with.
class owner : public nen::detail::task_owner {
 public:
  owner() : task_owner() {
    static constexpr functions mine = {
        [](task_owner& self, std::coroutine_handle<> where) { self.run(where); },
        [](task_owner&, nen::detail::task_end) noexcept {}};
    call = &mine;
  }
};

// The benchmark is about real coroutines: compilers may not see through them.
[[gnu::noinline]] nen::task<int> ready(int n) { co_return n; }
[[gnu::noinline]] nen::task<std::int64_t> awaits_children(std::int64_t count) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += co_await ready(1);
  co_return sum;
}
[[gnu::noinline]] nen::task<std::int64_t> awaits_pairs(std::int64_t count) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto [a, b] = co_await nen::when_all(ready(1), ready(2));
    sum += a + b;
  }
  co_return sum;
}

void frame_acquire_release(benchmark::State& state) {
  const nen::detail::frames_in_use scope(frames);
  nen::detail::frame_source* const source = nen::detail::current_frames();
  std::size_t bytes = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(bytes);
    void* const frame = source->acquire(bytes);
    benchmark::DoNotOptimize(frame);
    source->release(frame);
  }
}

/// 1,000 frames are taken and given back in another order; the time is that of one.
void frame_acquire_release_scattered(benchmark::State& state) {
  constexpr std::size_t held = 1000;
  static std::array<void*, held> taken;
  const nen::detail::frames_in_use scope(frames);
  while (state.KeepRunningBatch(held)) {
    for (auto& frame : taken) frame = frames.acquire(200);
    for (std::size_t i = 0; i < held; ++i) frames.release(taken[i * 389 % held]);
  }
}

void task_create_run_destroy(benchmark::State& state) {
  const nen::detail::frames_in_use scope(frames);
  owner o;
  for (auto _ : state) {
    auto t = ready(1);
    t.start(o);
    benchmark::DoNotOptimize(t.take());
  }
}

void task_await_ready_child(benchmark::State& state) {
  const nen::detail::frames_in_use scope(frames);
  owner o;
  while (state.KeepRunningBatch(1000)) {
    auto t = awaits_children(1000);
    t.start(o);
    benchmark::DoNotOptimize(t.take());
  }
}

void task_when_all_of_two(benchmark::State& state) {
  const nen::detail::frames_in_use scope(frames);
  owner o;
  while (state.KeepRunningBatch(1000)) {
    auto t = awaits_pairs(1000);
    t.start(o);
    benchmark::DoNotOptimize(t.take());
  }
}

// What it costs that a handler is a coroutine although it does not wait: the difference of these.
[[gnu::noinline]] nen::reply plain_hello(nen::response& res) { return res.text("Hello, World!"); }
[[gnu::noinline]] nen::task<nen::reply> coroutine_hello(nen::response& res) {
  co_return res.text("Hello, World!");
}
using handlers = nen::router<nen::get<"/p", plain_hello>, nen::get<"/c", coroutine_hello>>;

void request_to(benchmark::State& state, const std::string& path) {
  nen::testing::simulated_server<handlers> server;
  auto client = server.connect();
  std::string requests;
  constexpr std::size_t pipelined = 64;
  for (std::size_t i = 0; i < pipelined; ++i)
    requests += "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n";
  while (state.KeepRunningBatch(pipelined)) {
    client.send(requests);
    server.settle();
    benchmark::DoNotOptimize(client.take());
  }
}
void request_to_plain_handler(benchmark::State& state) { request_to(state, "/p"); }
void request_to_coroutine_handler(benchmark::State& state) { request_to(state, "/c"); }

BENCHMARK(frame_acquire_release)->Arg(100)->Arg(4000);
BENCHMARK(frame_acquire_release_scattered);
BENCHMARK(task_create_run_destroy);
BENCHMARK(task_await_ready_child);
BENCHMARK(task_when_all_of_two);
BENCHMARK(request_to_plain_handler);
BENCHMARK(request_to_coroutine_handler);

}  // namespace
