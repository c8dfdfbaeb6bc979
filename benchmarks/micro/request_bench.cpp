// What looking up a field of a request costs: the first, the last, and one that is not there.
#include <benchmark/benchmark.h>

#include <nen/http/parser.hpp>
#include <nen/http/request.hpp>
#include <string>
#include <string_view>

namespace {

/// A request of 14 fields, as browsers send them.
class parsed {
 public:
  parsed() {
    parser_.start(text_.data(), {8192, 64, 4096, 65'536});
    const auto result = parser_.feed(text_.data(), text_.data() + text_.size());
    NEN_ASSERT(result.status == nen::parse_status::message_complete);
  }
  nen::request request() const { return parser_.message(); }

 private:
  std::string text_ =
      "GET /articles/2024/overview?tab=comments HTTP/1.1\r\n"
      "Host: www.example.org\r\n"
      "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0\r\n"
      "Accept: text/html,application/xhtml+xml\r\n"
      "Accept-Language: en-GB,en;q=0.5\r\n"
      "Accept-Encoding: gzip, deflate, br\r\n"
      "Referer: https://www.example.org/articles/2024\r\n"
      "Connection: keep-alive\r\n"
      "Cookie: session=0123456789abcdef0123456789abcdef\r\n"
      "Upgrade-Insecure-Requests: 1\r\n"
      "Sec-Fetch-Dest: document\r\n"
      "Sec-Fetch-Mode: navigate\r\n"
      "Sec-Fetch-Site: same-origin\r\n"
      "If-None-Match: \"abc\"\r\n"
      "Cache-Control: max-age=0\r\n"
      "\r\n";
  nen::request_parser_with<64> parser_;
};

void look_up(benchmark::State& state, std::string_view name, bool is_there) {
  static const parsed p;
  const nen::request request = p.request();
  if (request.field(name).has_value() != is_there) state.SkipWithError("wrong field");
  for (auto _ : state) {
    benchmark::DoNotOptimize(name);
    benchmark::DoNotOptimize(request.field(name));
  }
}

void field_first(benchmark::State& state) { look_up(state, "host", true); }
void field_last(benchmark::State& state) { look_up(state, "Cache-Control", true); }
void field_missing(benchmark::State& state) { look_up(state, "Authorization", false); }

void request_views(benchmark::State& state) {
  static const parsed p;
  for (auto _ : state) {
    const nen::request request = p.request();
    benchmark::DoNotOptimize(request.method());
    benchmark::DoNotOptimize(request.path());
    benchmark::DoNotOptimize(request.query());
    benchmark::DoNotOptimize(request.host());
    benchmark::DoNotOptimize(request.keep_alive());
  }
}

BENCHMARK(field_first);
BENCHMARK(field_last);
BENCHMARK(field_missing);
BENCHMARK(request_views);

}  // namespace
