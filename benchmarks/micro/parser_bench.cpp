// What parsing one request costs: a minimal one, a browser's, one with a body, and many in a row.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <nen/http/parser.hpp>
#include <string>
#include <string_view>

namespace {

constexpr std::string_view hello_request =
    "GET / HTTP/1.1\r\n"
    "Host: 127.0.0.1:8080\r\n"
    "User-Agent: bench/1.00\r\n"
    "Accept: text/plain\r\n"
    "\r\n";

constexpr std::string_view browser_request =
    "GET /articles/2024/overview?tab=comments&page=2 HTTP/1.1\r\n"
    "Host: www.example.org\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8\r\n"
    "Accept-Language: en-GB,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Referer: https://www.example.org/articles/2024\r\n"
    "Connection: keep-alive\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "Sec-Fetch-Dest: document\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
    "Cache-Control: max-age=0\r\n"
    "\r\n";

constexpr std::string_view post_request =
    "POST /orders HTTP/1.1\r\n"
    "Host: 127.0.0.1:8080\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 27\r\n"
    "\r\n"
    "{\"item\":\"tea\",\"amount\":100}";

constexpr std::string_view chunked_request =
    "POST /orders HTTP/1.1\r\n"
    "Host: 127.0.0.1:8080\r\n"
    "Transfer-Encoding: chunked\r\n"
    "\r\n"
    "10\r\n0123456789abcdef\r\n"
    "10\r\n0123456789abcdef\r\n"
    "0\r\n\r\n";

constexpr nen::parse_limits limits{8192, 64, 4096, 65'536};

/// Reads one whole message. @returns the bytes it has, 0 when it was refused
std::size_t read(nen::request_parser_with<64>& parser, char* begin, char* end) {
  char* at = begin;
  while (true) {
    const nen::parse_result result = parser.feed(at, end);
    at += result.consumed;
    switch (result.status) {
      case nen::parse_status::head_complete:
        continue;
      case nen::parse_status::message_complete:
        return static_cast<std::size_t>(at - begin);
      case nen::parse_status::need_more:
      case nen::parse_status::rejected:
        return 0;
    }
  }
}

/// A body is gathered in place, which changes the input: each turn gets a fresh copy of it.
void parse(benchmark::State& state, std::string_view request) {
  static nen::request_parser_with<64> parser;
  std::string input;
  for (auto _ : state) {
    input.assign(request);
    parser.start(input.data(), limits);
    if (read(parser, input.data(), input.data() + input.size()) != request.size())
      state.SkipWithError("not parsed");
    benchmark::DoNotOptimize(parser);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(request.size()));
  state.counters["request_bytes"] = static_cast<double>(request.size());
}

void parse_hello(benchmark::State& state) { parse(state, hello_request); }
void parse_browser(benchmark::State& state) { parse(state, browser_request); }
void parse_post(benchmark::State& state) { parse(state, post_request); }
void parse_chunked(benchmark::State& state) { parse(state, chunked_request); }

/// The same head byte by byte, as a slow peer sends it.
void parse_hello_bytewise(benchmark::State& state) {
  static nen::request_parser_with<64> parser;
  std::string input(hello_request);
  for (auto _ : state) {
    parser.start(input.data(), limits);
    nen::parse_result result{};
    for (char& byte : input) result = parser.feed(&byte, &byte + 1);
    if (result.status != nen::parse_status::message_complete) state.SkipWithError("not parsed");
  }
}

/// 16 requests in one piece; the time is that of one.
void parse_pipelined(benchmark::State& state) {
  static nen::request_parser_with<64> parser;
  std::string input;
  for (int i = 0; i < 16; ++i) input += hello_request;
  while (state.KeepRunningBatch(16)) {
    char* const end = input.data() + input.size();
    for (char* at = input.data(); at != end;) {
      parser.start(at, limits);
      const std::size_t size = read(parser, at, end);
      if (size == 0) return state.SkipWithError("not parsed");
      at += size;
    }
  }
}

BENCHMARK(parse_hello);
BENCHMARK(parse_browser);
BENCHMARK(parse_post);
BENCHMARK(parse_chunked);
BENCHMARK(parse_hello_bytewise);
BENCHMARK(parse_pipelined);

}  // namespace
