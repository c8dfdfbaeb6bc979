// What finding a route costs, for tables of 1 to 500 routes: the cost must not grow with the table.
// Paths are asked for in an order that no branch predictor learns.
#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <nen/http/router.hpp>
#include <string>
#include <utility>
#include <vector>

namespace {

nen::reply plain(nen::response& res) { return res.text("ok"); }
nen::reply with_id(std::uint32_t, nen::response& res) { return res.text("ok"); }

/// "/api/resource_042" and what follows, as a template argument.
template <std::size_t Number, std::size_t N>
consteval auto numbered(const char (&behind)[N]) {
  constexpr std::size_t begin_size = sizeof "/api/resource_" - 1;
  char text[begin_size + 3 + N]{};
  for (std::size_t i = 0; i < begin_size; ++i) text[i] = "/api/resource_"[i];
  text[begin_size] = static_cast<char>('0' + Number / 100);
  text[begin_size + 1] = static_cast<char>('0' + Number / 10 % 10);
  text[begin_size + 2] = static_cast<char>('0' + Number % 10);
  for (std::size_t i = 0; i < N; ++i) text[begin_size + 3 + i] = behind[i];
  return nen::fixed_string(text);
}

/// Even numbers are static, odd ones have a parameter in the middle.
template <std::size_t Number>
struct numbered_route {
  using type = nen::get<numbered<Number>("/:id/edit"), with_id>;
};
template <std::size_t Number>
requires(Number % 2 == 0) struct numbered_route<Number> {
  using type = nen::get<numbered<Number>("/all/list"), plain>;
};

template <class Indices>
struct router_of;
template <std::size_t... I>
struct router_of<std::index_sequence<I...>> {
  using type = nen::router<typename numbered_route<I>::type...>;
};
template <std::size_t Count>
using routes_of = typename router_of<std::make_index_sequence<Count>>::type;

/// One route alone, of the asked-for kind.
template <std::size_t Number>
using single = nen::router<typename numbered_route<Number>::type>;

constexpr std::size_t asked = 1024;

/// Paths for the routes whose number is first, first + 2, …, in a scattered order.
std::vector<std::string> paths_for(std::size_t first, std::size_t count, const char* middle) {
  std::vector<std::string> paths;
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < asked; ++i) {
    state = state * 1664525 + 1013904223;
    const std::size_t choices = (count - first + 1) / 2;
    const std::size_t number = first + 2 * (state / 65536 % choices);
    const std::string digits = std::to_string(1000 + number).substr(1);
    paths.push_back("/api/resource_" + digits + middle);
  }
  return paths;
}

template <class Routes>
void look_up(benchmark::State& state, const std::vector<std::string>& paths) {
  std::size_t i = 0;
  for (auto _ : state) {
    nen::path_segments segments;
    const nen::route_match match = Routes::lookup(nen::method::get, paths[i++ % asked], segments);
    if (match.outcome != nen::route_outcome::found) state.SkipWithError("no route");
    benchmark::DoNotOptimize(match.route);
    benchmark::DoNotOptimize(segments);
  }
  state.counters["table_bytes"] = static_cast<double>(Routes::table_bytes);
}

template <std::size_t Count>
void static_route(benchmark::State& state) {
  look_up<routes_of<Count>>(state, paths_for(0, Count, "/all/list"));
}
template <std::size_t Count>
void parameter_route(benchmark::State& state) {
  look_up<routes_of<Count>>(state, paths_for(1, Count, "/12345/edit"));
}
void single_parameter_route(benchmark::State& state) {
  look_up<single<1>>(state, paths_for(1, 2, "/12345/edit"));
}

template <std::size_t Count>
void no_route(benchmark::State& state) {
  const auto paths = paths_for(0, Count, "/all/lost");
  std::size_t i = 0;
  for (auto _ : state) {
    nen::path_segments segments;
    benchmark::DoNotOptimize(
        routes_of<Count>::lookup(nen::method::get, paths[i++ % asked], segments));
  }
}

BENCHMARK(static_route<1>);
BENCHMARK(static_route<10>);
BENCHMARK(static_route<100>);
BENCHMARK(static_route<500>);
BENCHMARK(single_parameter_route);
BENCHMARK(parameter_route<10>);
BENCHMARK(parameter_route<100>);
BENCHMARK(parameter_route<500>);
BENCHMARK(no_route<500>);

}  // namespace
