// Asks for many URLs, a few at a time, and says what came of each:
//
//   05_client http://localhost:8080/ http://localhost:8080/api/sensors
//   05_client < a-file-with-one-URL-in-each-line
//
// Exit code: 0 when every answer is a success.
#include <nen/client/client_loop.hpp>
#include <nen/nen.hpp>

#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::uint32_t at_once = 8;

/// What all the workers work on.
struct batch {
  std::vector<std::string> urls;
  std::size_t next = 0;
  std::size_t done = 0;
  std::size_t failed = 0;
  std::size_t bytes = 0;
};

bool is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

void say(const std::string& url, const nen::http::answer& got, std::size_t bytes, nen::tick ms) {
  if (is_terminal()) std::fputs("\r\x1b[K", stderr);  // where the progress was
  if (got.ok()) {
    std::printf("%d %zu bytes %u ms %s\n", got.code(), bytes, ms, url.c_str());
  } else {
    const auto why = to_string(got.error());
    std::printf("--- %.*s %s\n", static_cast<int>(why.size()), why.data(), url.c_str());
  }
  std::fflush(stdout);
}

/// Asks for one after the other, as long as there are any. A body is read part by part, so it may
/// be larger than all of this program's memory.
nen::task<void> work(nen::context& ctx, batch& all) {
  while (all.next < all.urls.size()) {
    const std::string& url = all.urls[all.next++];
    const nen::tick began = ctx.now_ms();
    auto got = co_await ctx.http().open({.url = url});
    std::size_t bytes = 0;
    while (const auto part = co_await got.read()) {
      bytes += part.bytes.size();
      all.bytes += part.bytes.size();
    }
    ++all.done;
    if (!got.is_successful()) ++all.failed;
    say(url, got, bytes, ctx.now_ms() - began);
  }
}

nen::task<void> show_progress(nen::context& ctx, const batch& all) {
  while (all.done < all.urls.size()) {
    co_await ctx.sleep(std::chrono::milliseconds(100));
    std::fprintf(stderr, "\r\x1b[K%zu of %zu, %zu KiB", all.done, all.urls.size(),
                 all.bytes / nen::KiB);
  }
  std::fputs("\r\x1b[K", stderr);
}

nen::task<int> run(nen::context& ctx, batch& all) {
  static_assert(at_once == 8, "as many workers as these");
  auto workers = [](nen::context& its, batch& todo) -> nen::task<void> {
    co_await nen::when_all(work(its, todo), work(its, todo), work(its, todo), work(its, todo),
                           work(its, todo), work(its, todo), work(its, todo), work(its, todo));
  };
  if (is_terminal()) {
    co_await nen::when_all(workers(ctx, all), show_progress(ctx, all));
  } else {
    co_await workers(ctx, all);
  }
  co_return all.failed == 0 ? 0 : 1;
}

nen::client_loop<> loop;

}  // namespace

int main(int argc, char** argv) {
  batch all;
  all.urls.assign(argv + 1, argv + argc);
  if (all.urls.empty())
    for (std::string line; std::getline(std::cin, line);)
      if (!line.empty()) all.urls.push_back(line);
  return nen::exit_code(loop.run([&](nen::context& ctx) { return run(ctx, all); }));
}
