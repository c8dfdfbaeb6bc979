// server, L3: the application's states that show something where metrics are shown: those with
// metrics of their own, and groups of WebSockets.
#pragma once

#include <nen/core/function_ref.hpp>
#include <nen/core/state_refs.hpp>

#include <cstdint>

namespace nen {

class exposition;

/// How a nen::ws::group is.
struct group_figures {
  std::uint32_t members;  ///< on all shards
  std::uint64_t missed;   ///< messages that did not reach another shard
};

namespace detail {

/// A state with metrics of its own: a nen::metric_set, or whatever has such a function.
template <class S>
concept exposes_metrics = requires(const S& state, exposition& to) {
  state.expose(to);
};

template <class S>
concept websocket_group = requires {
  requires S::is_websocket_group;
};

template <class S>
void expose_state(const S& state, exposition& to) {
  if constexpr (exposes_metrics<S>) state.expose(to);
}

template <class... S>
void expose_states([[maybe_unused]] const state_refs<S...>& states,
                   [[maybe_unused]] exposition& to) {
  (expose_state(states.template get<S>(), to), ...);
}

template <class S>
void show_group(const S& state, function_ref<void(const group_figures&)> show) {
  if constexpr (websocket_group<S>) show({state.size(), state.missed()});
}

template <class... S>
void show_groups([[maybe_unused]] const state_refs<S...>& states,
                 [[maybe_unused]] function_ref<void(const group_figures&)> show) {
  (show_group(states.template get<S>(), show), ...);
}

}  // namespace detail

}  // namespace nen
