// Which text a scraper gets: by its Accept lines, with their weights.
#include <nen/metrics/metrics_format.hpp>

#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

namespace {

struct accept_case {
  std::vector<std::string_view> lines;
  bool is_openmetrics;
};

}  // namespace

TEST_CASE("OpenMetrics is chosen when it is asked for and not wanted less than the other text") {
  const accept_case cases[] = {
      {{}, false},
      {{""}, false},
      {{"*/*"}, false},
      {{"text/plain"}, false},
      {{"text/html, application/xhtml+xml"}, false},
      {{"application/openmetrics-text"}, true},
      {{"Application/OpenMetrics-Text; Version=1.0.0"}, true},
      {{"application/openmetrics-text; version=\"1.0.0\"; charset=utf-8"}, true},
      {{"application/openmetrics-text; version=0.0.1"}, false},
      {{"application/openmetrics-text; version=2.0.0, text/plain"}, false},
      {{"application/openmetrics-text;q=0"}, false},
      {{"application/openmetrics-text;q=0.3,text/plain;q=0.4"}, false},
      {{"application/openmetrics-text;q=0.4,text/plain;q=0.3"}, true},
      {{"application/openmetrics-text;q=0.5,text/plain;q=0.5"}, true},
      {{"application/openmetrics-text;q=0.5,*/*;q=0.6"}, false},
      {{"application/openmetrics-text;q=0.5,*/*;q=0.6,text/plain;q=0.1"}, true},
      {{"application/openmetrics-text;q=0.5,text/*;q=0.6,*/*;q=0.1"}, false},
      {{"text/plain;q=0.2", "application/openmetrics-text;q=0.3"}, true},
      {{"text/plain;x=\"a,b;q=1\";q=0.2,application/openmetrics-text;q=0.3"}, true},
      // What Prometheus 2.42 and 3 send.
      {{"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
        "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"},
       true},
      {{"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
        "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;"
        "escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"},
       true},
      {{"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
        "encoding=delimited,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"},
       false},
      // What is no weight is none.
      {{"application/openmetrics-text;q=2"}, false},
      {{"application/openmetrics-text;q=0.5000,text/plain;q=0.1"}, false},
      {{"application/openmetrics-text;q=,text/plain;q=0.1"}, false},
      {{"application/openmetrics-text;q=1.001"}, false},
      {{",;,=;q,\"\\", "application/openmetrics-text"}, true},
  };
  for (const accept_case& each : cases) {
    nen::metrics_format_choice choice;
    for (const std::string_view line : each.lines) choice.add(line);
    INFO((each.lines.empty() ? "none" : each.lines.front()));
    CHECK((choice.format() == nen::metrics_format::openmetrics) == each.is_openmetrics);
  }
}

TEST_CASE("each format has its content type") {
  CHECK(content_type(nen::metrics_format::prometheus) ==
        "text/plain; version=0.0.4; charset=utf-8");
  CHECK(content_type(nen::metrics_format::openmetrics) ==
        "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

TEST_CASE("an Accept line of any bytes ends in one of the formats") {
  std::mt19937 random{3};
  constexpr std::string_view parts[] = {"application/openmetrics-text",
                                        "text/plain",
                                        "*/*",
                                        ";",
                                        ",",
                                        "=",
                                        "q",
                                        "\"",
                                        "\\",
                                        " ",
                                        "0.5",
                                        "1",
                                        "version",
                                        "1.0.0"};
  int open = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string line;
    for (auto count = random() % 20; count != 0; --count)
      line += parts[random() % std::size(parts)];
    nen::metrics_format_choice choice;
    choice.add(line);
    open += choice.format() == nen::metrics_format::openmetrics ? 1 : 0;
  }
  CHECK(open > 0);
  CHECK(open < 20'000);
}
