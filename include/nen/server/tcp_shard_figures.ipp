// server, L3: what a shard shows of itself, and measures of its loop.
#pragma once

namespace nen {

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::show_pools(function_ref<void(const pool_figures&)> show) const {
  detail::show_pool(show, "connections", connections_);
  show({"receive buffers", leases_.value(), leases_.high_water(), C.receive_buffers});
  detail::show_pool(show, "send slots", queue_.slots());
  if constexpr (gate::has_table) detail::show_pool(show, "clients", gate_.table().slots());
  if constexpr (S::send_views != 0) detail::show_pool(show, "send views", queue_.views());
  if constexpr (requires { session_.show_pools(show); }) session_.show_pools(show);
}

template <class S, config C, template <ring_sizes> class R>
void tcp_shard<S, C, R>::measure_turn() noexcept {
  loop_figures_.busy.record(loop_.ring().clock_ns() - loop_.ring().now_ns());
  loop_figures_.batch.record(completions_);
  completions_ = 0;
}

}  // namespace nen
