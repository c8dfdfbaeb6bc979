// The server that all conformance cases are tried on, and the check of a table of them.
#pragma once

#include <iterator>

#include "conformance/prober.hpp"

namespace nen::test::conformance {

// Requests of the shape that most cases vary.
#define NEN_GET "GET / HTTP/1.1\r\n"
#define NEN_POST "POST / HTTP/1.1\r\n"
#define NEN_HOST "Host: h\r\n"
#define NEN_CHUNKED "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"

/// Says what arrived: "POST /path?query host [body] trailer=value".
inline reply describe(std::string_view, const request& req, response& res) {
  res.begin("text/plain").write(to_string(req.method())).write(" ").write(req.path());
  if (!req.query().empty()) res.write("?").write(req.query());
  res.write(" ").write(req.host()).write(" [").write(req.body()).write("]");
  for (const field f : req.trailers()) res.write(" ").write(f.name).write("=").write(f.value);
  return res.finish();
}
inline reply describe_root(const request& req, response& res) { return describe("", req, res); }

inline reply answer_next(response& res) { return res.text("next"); }

using routes = router<get<"/next", answer_next>, get<"/", describe_root>, post<"/", describe_root>,
                      put<"/", describe_root>, patch<"/", describe_root>, del<"/", describe_root>,
                      get<"/*rest", describe>, post<"/*rest", describe>>;

/// Small limits, so that a message of every size fits one read.
inline constexpr config limits = {.connections = 256,
                                  .receive_buffers = 256,
                                  .receive_buffer_bytes = 16 * KiB,
                                  .send_slots = 256,
                                  .send_slot_bytes = 8 * KiB,
                                  .response_bytes_max = 8 * KiB,
                                  .head_slots = 128,
                                  .head_bytes_max = 1024,
                                  .fields_max = 16,
                                  .target_bytes_max = 256,
                                  .body_slots = 128,
                                  .body_bytes_max = 2048};

inline server<routes, limits> tested;

/// The options of all cases: nobody is cut off because the machine is slow.
inline constexpr listen_options patient = {.linger_timeout = std::chrono::milliseconds(20'000)};

/// Every way in which a message is delivered: whole; when it is valid byte by byte and cut at every
/// point, else cut at some.
inline std::vector<delivery> deliveries(const row& r) {
  std::vector<delivery> all{{&r, {}}};
  const std::size_t size = r.input.text.size();
  const bool valid = r.outcome[0] == '2' || r.outcome[0] == 'n';
  if (valid) {
    delivery& bytewise = all.emplace_back(delivery{&r, {}});
    for (std::size_t at = 1; at < size + next_request.size(); ++at) bytewise.cuts.push_back(at);
  }
  const std::size_t step = valid ? 1 : 1 + size / 16;
  for (std::size_t at = 1; at <= size; at += step) all.push_back({&r, {at}});
  if (size > 1) all.push_back({&r, {size - 1}});
  return all;
}

/// Tries all deliveries. A row fails once, with the first delivery that came out otherwise.
inline void check(std::span<const delivery> all) {
  running run(tested, patient);
  prober probe(run.port());
  const row* failed = nullptr;
  probe.run(all, [&](const attempt& a) {
    if (a.of == failed) return;
    const std::string outcome = a.outcome();
    const bool sees = a.of->seen == nullptr || a.seen() == a.of->seen;
    if (outcome != a.of->outcome || !sees) failed = a.of;
    INFO(a.of->clause << ", " << a.how() << ":\n" << a.of->input.text.substr(0, 300));
    CHECK(outcome == a.of->outcome);
    if (!sees) CHECK(a.seen() == a.of->seen);
  });
}

/// Tries all rows in all ways.
inline void check(std::span<const row> rows) {
  std::vector<delivery> all;
  for (const row& r : rows) {
    auto some = deliveries(r);
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  check(all);
}

}  // namespace nen::test::conformance
