// server, L3: a route that shows everything the server counts and measures, as Prometheus and its
// like read it. Include it where there is such a route: nen.hpp does not.
#pragma once

#include <nen/core/smallest.hpp>
#include <nen/http/body_stream.hpp>
#include <nen/http/request.hpp>
#include <nen/http/response.hpp>
#include <nen/http/routes.hpp>
#include <nen/metrics/exposition.hpp>
#include <nen/server/metrics_text.hpp>
#include <nen/server/server_metrics.hpp>

#include <cstddef>

namespace nen {

namespace detail {

/// Writes the metrics a piece at a time: a scraper that is slow to read holds send slots for one
/// piece, and the figures of the next one are taken when there is room for it.
class metrics_producer {
 public:
  metrics_producer(const server_metrics& all, metrics_format format) noexcept
      : all_(&all), format_(format) {}

  void operator()(body_stream& body) noexcept {
    if (body.ended()) return;
    char room[piece_bytes];
    exposition to({room, smallest(sizeof room, body.room())}, format_, at_);
    metrics_writer(to, *all_).write();
    const bool done = to.finish();
    if (!to.text().empty() && !body.write(to.text())) return;
    // A line that is longer than a piece (a pattern of thousands of bytes) is left out.
    at_ = to.blocked() ? to.skip() : to.next();
    if (done) {
      (void)body.finish();
    } else {
      body.more();
    }
  }

 private:
  static constexpr std::size_t piece_bytes = 4096;

  const server_metrics* all_;
  exposition_position at_;
  metrics_format format_;
};

inline reply show_metrics(const request& req, const server_metrics& all, response& res) {
  metrics_format_choice choice;
  req.fields().for_each("Accept", [&](std::string_view accept) { choice.add(accept); });
  res.field("Vary", "Accept").field("Cache-Control", "no-store");
  return res.stream(content_type(choice.format()), metrics_producer(all, choice.format()));
}

}  // namespace detail

/// GET: all metrics, in OpenMetrics where that is accepted, otherwise in Prometheus' text format.
/// With such a route the server measures each route, its handlers and its loop. The application's
/// own metrics are shown besides: every state that has a function `expose(nen::exposition&) const`,
/// which a nen::metric_set has.
/// @code  using routes = nen::router<nen::metrics_route<"/metrics">, …>;  @endcode
/// It tells much about a server: let it be asked for by those who may know (a middleware around it,
/// or a proxy in front that keeps the path to itself).
template <fixed_string Pattern = "/metrics">
using metrics_route = get<Pattern, detail::show_metrics>;

}  // namespace nen
