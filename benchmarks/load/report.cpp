// Prints.
#include "report.hpp"

#include <algorithm>
#include <cstdio>
#include <string>

namespace load {
namespace {

struct percentile {
  const char* name;
  double share;
};
constexpr percentile percentiles[] = {
    {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"p99.99", 0.9999}};

double microseconds(std::uint64_t ns) { return static_cast<double>(ns) / 1e3; }

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= ' ') {
      out += c;
    } else {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
      out += escaped;
    }
  }
  return out + '"';
}

void print_latencies(const char* name, const histogram& h) {
  std::printf("  \"%s\": {\"count\": %llu, \"mean\": %.3f", name,
              static_cast<unsigned long long>(h.count()), h.mean() / 1e3);
  for (const auto& p : percentiles)
    std::printf(", \"%s\": %.3f", p.name, microseconds(h.percentile(p.share)));
  std::printf(", \"max\": %.3f},\n", microseconds(h.max()));
}

double per(double amount, std::uint64_t count) {
  return count == 0 ? 0.0 : amount / static_cast<double>(count);
}

}  // namespace

double report::seconds() const {
  const std::uint64_t end = plan.measure_end == UINT64_MAX
                                ? std::max(found.last_answer, plan.measure_begin + 1)
                                : plan.measure_end;
  return static_cast<double>(end - plan.measure_begin) / 1e9;
}

void report::print_table() const {
  const auto count = static_cast<unsigned long long>(found.answers);
  std::printf("%llu answers in %.2f s: %.0f a second, %.2f MB/s of bodies\n", count, seconds(),
              static_cast<double>(found.answers) / seconds(),
              static_cast<double>(found.body_bytes) / seconds() / 1e6);
  std::printf("latency in us%s\n", plan.is_open_loop() ? ", from when a request was due" : "");
  std::printf("  %-8s %12.1f\n", "mean", found.latencies.mean() / 1e3);
  for (const auto& p : percentiles)
    std::printf("  %-8s %12.1f\n", p.name, microseconds(found.latencies.percentile(p.share)));
  std::printf("  %-8s %12.1f\n", "max", microseconds(found.latencies.max()));
  if (plan.is_open_loop()) {
    std::printf(
        "%llu requests waited for a free connection; the others were sent late by %.1f us "
        "(p50), %.1f us (p99), %.1f us (max)\n",
        static_cast<unsigned long long>(found.waited), microseconds(found.lags.percentile(0.5)),
        microseconds(found.lags.percentile(0.99)), microseconds(found.lags.max()));
  }
  const std::uint64_t sampled = after.answers - before.answers;
  if (!plan.chosen.server_pids.empty()) {
    const cpu_time used = after.server - before.server;
    std::printf("server: %.3f us of CPU time an answer\n", per(used.seconds * 1e6, sampled));
  }
  std::printf("load: %.3f us of CPU time an answer, %.0f %% of its threads' time\n",
              per(found.cpu_seconds * 1e6, sampled),
              100 * found.cpu_seconds / seconds() / plan.chosen.threads);
  std::printf("%llu connections\n", static_cast<unsigned long long>(found.connections));
  for (std::size_t i = 0; i < failure_count; ++i) {
    if (found.wrong.counts[i] == 0) continue;
    const auto name = to_string(static_cast<failure>(i));
    std::printf("WRONG: %llu %.*s\n", static_cast<unsigned long long>(found.wrong.counts[i]),
                static_cast<int>(name.size()), name.data());
  }
  if (!found.wrong.first.empty()) std::printf("the first: %s\n", found.wrong.first.c_str());
}

/// Times are in microseconds unless the name says otherwise.
void report::print_json() const {
  const options& o = plan.chosen;
  const std::uint64_t sampled = after.answers - before.answers;
  std::printf("{\n  \"connections\": %u, \"threads\": %u, \"pipeline\": %u, \"rate\": %.3f,\n",
              o.connections, o.threads, o.pipeline, o.rate);
  std::printf("  \"request_bytes\": %zu, \"body_bytes\": %lld,\n", plan.cycle.at(0).bytes.size(),
              static_cast<long long>(o.protocol == protocol::http
                                         ? plan.expectations[0].length.load()
                                         : static_cast<std::int64_t>(o.message_bytes)));
  std::printf("  \"seconds\": %.6f, \"answers\": %llu, \"answers_per_second\": %.3f,\n", seconds(),
              static_cast<unsigned long long>(found.answers),
              static_cast<double>(found.answers) / seconds());
  std::printf("  \"body_bytes_per_second\": %.0f, \"opened\": %llu, \"closed_idle\": %llu,\n",
              static_cast<double>(found.body_bytes) / seconds(),
              static_cast<unsigned long long>(found.connections),
              static_cast<unsigned long long>(found.closed_idle));
  print_latencies("latency", found.latencies);
  if (plan.is_open_loop()) {
    print_latencies("lag", found.lags);
    std::printf("  \"waited\": %llu,\n", static_cast<unsigned long long>(found.waited));
  }
  if (!o.server_pids.empty()) {
    const cpu_time used = after.server - before.server;
    std::printf(
        "  \"server_cpu\": %.6f, \"server_user_seconds\": %.3f, "
        "\"server_system_seconds\": %.3f,\n",
        per(used.seconds * 1e6, sampled), used.user_seconds, used.system_seconds);
  }
  std::printf("  \"load_cpu\": %.6f, \"load_busy\": %.4f,\n", per(found.cpu_seconds * 1e6, sampled),
              found.cpu_seconds / seconds() / o.threads);
  std::printf("  \"sampled_answers\": %llu, \"sampled_seconds\": %.6f,\n",
              static_cast<unsigned long long>(sampled),
              static_cast<double>(after.time - before.time) / 1e9);
  std::printf("  \"failures\": {");
  for (std::size_t i = 0; i < failure_count; ++i) {
    const auto name = to_string(static_cast<failure>(i));
    std::printf("%s\"%.*s\": %llu", i == 0 ? "" : ", ", static_cast<int>(name.size()), name.data(),
                static_cast<unsigned long long>(found.wrong.counts[i]));
  }
  std::printf("},\n  \"first_failure\": %s\n}\n", quoted(found.wrong.first).c_str());
}

}  // namespace load
