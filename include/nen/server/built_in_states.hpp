// server, L3: the objects that a server gives to handlers beside the application's: those that its
// routes' handlers take.
#pragma once

#include <nen/config.hpp>
#include <nen/core/function_ref.hpp>
#include <nen/core/state_refs.hpp>
#include <nen/core/type_list.hpp>
#include <nen/server/exposed_states.hpp>
#include <nen/server/server_metrics.hpp>
#include <nen/server/server_status.hpp>

#include <cstdint>
#include <type_traits>

namespace nen::detail {

/// The types of the objects that these routes' handlers take, of the built-in ones.
template <class Routes>
using built_in_states =
    typename concat<std::conditional_t<Routes::template takes<server_metrics>,
                                       type_list<server_metrics>, type_list<>>,
                    std::conditional_t<Routes::template takes<server_status>,
                                       type_list<server_status>, type_list<>>>::type;

/// The built-in objects of one shard.
class built_in_objects {
 public:
  /// @param shards  the server's, `Shards` of them; @param index  the one that these are for
  template <class Shard, std::uint32_t Shards>
  void set(const Shard* shards, std::uint32_t index) noexcept {
    using states = typename Shard::session_type::state_references;
    if constexpr (states::template has<server_metrics>)
      metrics_ = {shards, metrics_calls<Shard, Shards>::table};
    if constexpr (states::template has<server_status>)
      status_ = {shards + index, status_calls<Shard>::table};
  }

  template <class T>
  static constexpr bool has = std::is_same_v<T, server_metrics> || std::is_same_v<T, server_status>;
  template <class T>
  T& get() noexcept {
    if constexpr (std::is_same_v<T, server_metrics>) {
      return metrics_;
    } else {
      return status_;
    }
  }

 private:
  template <class Shard, std::uint32_t Shards>
  struct metrics_calls {
    using session = typename Shard::session_type;
    static const Shard& at(const void* shards, std::uint32_t index) noexcept {
      return static_cast<const Shard*>(shards)[index];
    }
    static const shard_counters& counters(const void* shards, std::uint32_t index) noexcept {
      return at(shards, index).counters();
    }
    static const ring_counters& ring(const void* shards, std::uint32_t index) noexcept {
      return at(shards, index).io().counters();
    }
    static const loop_metrics& loop(const void* shards, std::uint32_t index) noexcept {
      return at(shards, index).loop_figures();
    }
    static const route_metrics& route(const void* shards, std::uint32_t index,
                                      std::uint32_t which) noexcept {
      return at(shards, index).session().route_figures(which);
    }
    static void pools(const void* shards, std::uint32_t index,
                      function_ref<void(const pool_figures&)> show) {
      at(shards, index).show_pools(show);
    }
    static void groups(const void* shards, function_ref<void(const group_figures&)> show) {
      show_groups(at(shards, 0).session().states(), show);
    }
    static void expose(const void* shards, exposition& to) {
      expose_states(at(shards, 0).session().states(), to);
    }
    static constexpr server_metrics::functions table = {
        Shards, session::routes, counters, ring, loop, route, pools, groups, expose};
  };

  template <class Shard>
  struct status_calls {
    static const Shard& at(const void* shard) noexcept { return *static_cast<const Shard*>(shard); }
    static constexpr server_status::functions table = {
        [](const void* s) noexcept { return at(s).stopping(); },
        [](const void* s) noexcept { return at(s).is_overloaded(); }};
  };

  server_metrics metrics_;
  server_status status_;
};

/// References to what a session's handlers take.
template <class... S, class Find>
state_refs<S...> make_state_refs(state_refs<S...>, [[maybe_unused]] Find find) noexcept {
  return {find.template operator()<S>()...};
}

/// Starts a shard's session with what its handlers take: the built-in objects, and the
/// application's, which find.template operator()<T>() gives.
/// @param shards  the server's, `Shards` of them; @param index  the one that is meant
template <std::uint32_t Shards, class Shard, class Find>
void start_session(Shard* shards, std::uint32_t index, built_in_objects& built_in,
                   const listen_options& options, Find find) noexcept {
  built_in.template set<Shard, Shards>(shards, index);
  auto& session = shards[index].session();
  using states = typename Shard::session_type::state_references;
  session.start(options, make_state_refs(states(), [&]<class T>() -> T& {
                  if constexpr (built_in_objects::has<T>) {
                    return built_in.template get<T>();
                  } else {
                    return find.template operator()<T>();
                  }
                }));
}

}  // namespace nen::detail
