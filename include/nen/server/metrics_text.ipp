// server, L3: the part of metrics_writer that goes through the families.
#pragma once

namespace nen::detail {

/// The names are those that every Prometheus library uses for a process.
inline void metrics_writer::write_process() {
  if (to_.family(gauge_kind, "nen_build_info", "Which nen this is, and what has compiled it.")) {
#if defined(__clang__)
    constexpr std::string_view compiler = "clang " __clang_version__;
#else
    constexpr std::string_view compiler = "gcc " __VERSION__;
#endif
    to_.sample({{"version", library_version}, {"compiler", compiler}}, metric_value::of(1));
  }
  one(gauge_kind, "nen_shards", "Threads that serve.",
      [&] { return metric_value::of(all_.shards()); });
  one(counter_kind, "process_cpu_seconds_total", "CPU time of all threads, in seconds.",
      [] { return metric_value::nanoseconds(process_cpu_ns()); });
  one(gauge_kind, "process_resident_memory_bytes", "Memory that is in RAM.",
      [] { return metric_value::of(memory_of_process().resident_bytes); });
  one(gauge_kind, "process_virtual_memory_bytes", "Memory that is mapped.",
      [] { return metric_value::of(memory_of_process().virtual_bytes); });
  one(gauge_kind, "process_threads", "Threads.",
      [] { return metric_value::of(threads_of_process()); });
  one(gauge_kind, "process_open_fds",
      "Open descriptors; connections have none of their own, they are in the rings.",
      [] { return metric_value::of(open_fds_of_process()); });
  one(gauge_kind, "process_max_fds", "The most descriptors that may be open.",
      [] { return metric_value::of(fds_max_of_process()); });
  one(gauge_kind, "process_start_time_seconds", "When the process began, in seconds since 1970.",
      [] { return metric_value::nanoseconds(start_of_process_ns()); });
}

inline void metrics_writer::write_connections() {
  of_shards(counter_kind, "nen_connections_accepted_total", "Connections that were accepted.",
            [&](std::uint32_t i) { return all_.counters(i).connections_accepted.value(); });
  of_shards(gauge_kind, "nen_connections_open", "Connections that were accepted and not closed.",
            [&](std::uint32_t i) {
              // Closed ones first: there are never more of them than accepted ones.
              const std::uint64_t closed = all_.counters(i).connections_closed.value();
              const std::uint64_t accepted = all_.counters(i).connections_accepted.value();
              return accepted > closed ? accepted - closed : 0;
            });
  if (to_.family(counter_kind, "nen_connections_closed_total",
                 "Connections that have ended, by the reason.")) {
    for (std::size_t reason = 1; reason <= tcp::close_reasons; ++reason) {
      const auto why = static_cast<tcp::close_reason>(reason);
      std::uint64_t total = 0;
      for (std::uint32_t i = 0; i < all_.shards(); ++i)
        total += all_.counters(i).closes[why].value();
      to_.sample({{"reason", to_string(why)}}, metric_value::of(total));
    }
  }
}

inline void metrics_writer::write_counters() {
  std::string_view family;
  bool open = false;
  for (const counter_row& row : counter_rows) {
    if (row.name != family) open = to_.family(counter_kind, row.name, row.help);
    family = row.name;
    if (!open) continue;
    const std::string_view kind = row.pool.empty() ? "kind" : "outcome";
    to_.sample({{"pool", row.pool}, {kind, row.kind}}, metric_value::of(sum(row.which)));
  }
  one(gauge_kind, "nen_websockets_open", "WebSockets that were opened and have not ended.", [&] {
    const std::uint64_t closed = sum(&shard_counters::websockets_closed);
    const std::uint64_t opened = sum(&shard_counters::websockets_opened);
    return metric_value::of(opened > closed ? opened - closed : 0);
  });
}

/// Where there is no group, there is nothing of this.
inline void metrics_writer::write_groups() {
  bool any = false;
  const auto look = [&](const group_figures&) { any = true; };
  all_.groups(look);
  if (!any) return;
  std::uint64_t index = 0;
  if (to_.family(gauge_kind, "nen_websocket_group_members",
                 "Members of each group, by its place among the server's states.")) {
    const auto show = [&](const group_figures& group) {
      to_.sample({{"group", label_number(index++).view()}}, metric_value::of(group.members));
    };
    all_.groups(show);
  }
  if (to_.family(counter_kind, "nen_websocket_group_missed_total",
                 "Messages of a group that did not reach another shard.")) {
    index = 0;
    const auto show = [&](const group_figures& group) {
      to_.sample({{"group", label_number(index++).view()}}, metric_value::of(group.missed));
    };
    all_.groups(show);
  }
}

template <class F>
void metrics_writer::for_each_route(F f) const {
  const std::span<const route_info> routes = all_.routes();
  for (std::uint32_t i = 0; i < routes.size(); ++i) {
    const label_methods methods(routes[i].methods);
    f(i, metric_label{"route", routes[i].pattern}, metric_label{"method", methods.view()});
  }
  // No pattern is called so, because they begin with a slash.
  f(static_cast<std::uint32_t>(routes.size()), metric_label{"route", "none"}, metric_label{});
}

inline void metrics_writer::write_routes() {
  static constexpr std::string_view classes[route_metrics::status_classes] = {"1xx", "2xx", "3xx",
                                                                              "4xx", "5xx"};
  if (to_.family(counter_kind, "nen_http_responses_total",
                 "Answers by route and class of status; route=\"none\" are those to what has no "
                 "route, or was refused before.")) {
    for_each_route([&](std::uint32_t index, metric_label pattern, metric_label methods) {
      for (std::size_t c = 0; c < route_metrics::status_classes; ++c) {
        std::uint64_t total = 0;
        for (std::uint32_t i = 0; i < all_.shards(); ++i)
          total += route(i, index).answers[c].value();
        to_.sample({pattern, methods, {"code", classes[c]}}, metric_value::of(total));
      }
    });
  }
  write_route_times("nen_http_response_duration_seconds",
                    "Time from when a request was read to when the kernel had all of its answer.",
                    &route_metrics::latency);
  write_route_times("nen_http_handler_duration_seconds",
                    "Time that handlers ran; one call in 16 is timed and counted as 16.",
                    &route_metrics::handler_time);
}

inline void metrics_writer::write_route_times(std::string_view name, std::string_view help,
                                              histogram route_metrics::*which) {
  if (!to_.family(metric_kind::histogram, name, help)) return;
  for_each_route([&](std::uint32_t index, metric_label pattern, metric_label methods) {
    const metric_label labels[] = {pattern, methods};
    merged(labels, [&](std::uint32_t shard) { return &(route(shard, index).*which); });
  });
}

template <class Find>
void metrics_writer::merged(std::span<const metric_label> of, Find find) {
  std::array<const histogram*, shards_max> each;
  const std::uint32_t shards = all_.shards();
  for (std::uint32_t i = 0; i < shards; ++i) each[i] = find(i);
  to_.histogram(of, {each.data(), shards});
}

inline void metrics_writer::write_pools() {
  const auto of_pools = [&](std::string_view name, std::string_view help,
                            std::uint32_t pool_figures::*which) {
    if (!to_.family(gauge_kind, name, help)) return;
    for (std::uint32_t i = 0; i < all_.shards(); ++i) {
      const label_number shard(i);
      const auto show = [&](const pool_figures& pool) {
        to_.sample({{"pool", pool.name}, {"shard", shard.view()}}, metric_value::of(pool.*which));
      };
      all_.pools(i, show);
    }
  };
  of_pools("nen_pool_slots", "Slots of a pool.", &pool_figures::size);
  of_pools("nen_pool_slots_in_use", "Slots of a pool that are taken.", &pool_figures::in_use);
  of_pools("nen_pool_slots_high_water", "The most slots of a pool that were ever taken at once.",
           &pool_figures::high_water);
}

inline void metrics_writer::write_loop() {
  of_shards(counter_kind, "nen_ring_waits_total",
            "Turns of the loop: one system call each, or two.",
            [&](std::uint32_t i) { return all_.ring(i).waits.value(); });
  of_shards(counter_kind, "nen_ring_submissions_total", "Operations that the kernel was given.",
            [&](std::uint32_t i) { return all_.ring(i).submissions.value(); });
  of_shards(counter_kind, "nen_ring_overflows_total",
            "Turns that found completions which the queue had no place for; none is lost.",
            [&](std::uint32_t i) { return all_.ring(i).overflows.value(); });
  const auto of_loops = [&](std::string_view name, std::string_view help,
                            histogram loop_metrics::*which) {
    if (!to_.family(metric_kind::histogram, name, help)) return;
    for (std::uint32_t i = 0; i < all_.shards(); ++i) {
      const histogram* const one[] = {&(all_.loop(i).*which)};
      to_.histogram({{"shard", label_number(i).view()}}, one);
    }
  };
  of_loops("nen_loop_lag_seconds",
           "How long turns of the loop took: so long did whatever came meanwhile have to wait.",
           &loop_metrics::busy);
  of_loops("nen_loop_batch_completions", "Completions that a turn of the loop found.",
           &loop_metrics::batch);
}

}  // namespace nen::detail
