// client, L3: HTTP for programs that have nothing else to do meanwhile: a call returns with the
// answer.
#pragma once

#include <nen/client/client_loop.hpp>
#include <nen/client/http_client.hpp>
#include <nen/config.hpp>
#include <nen/core/result.hpp>
#include <nen/io/context.hpp>
#include <nen/io/task.hpp>

#include <string_view>
#include <utility>

namespace nen::http {

/// What a single caller needs: one request at a time, and a few connections that are kept. A body
/// has to fit into a megabyte.
inline constexpr config blocking_config = {
    .connections = 1,
    .receive_buffers = 32,
    .send_slots = 32,
    .tasks = 1,
    .outgoing = 16,
    .fetches = 4,
    .fetch_body_bytes = 1 * MiB,
    .task_frames = {{{512, 16}, {1024, 16}, {2048, 8}, {8192, 2}}}};

/// Asks and waits. It is made in static storage; an answer, of which there may be
/// config::fetches, is used before it ends. One thread uses it.
/// @code
///   static nen::http::blocking_client<> web;
///   const auto answer = web.get("http://localhost:8080/");
///   if (answer) std::cout << answer.body();
/// @endcode
template <config Config = blocking_config>
class blocking_client {
 public:
  /// Gets the ring ready; each request does it too, but can't say what is wrong.
  [[nodiscard]] result<void> open(const client_options& options = {}) noexcept {
    return loop_.open(options);
  }
  [[nodiscard]] answer fetch(const request& asked) {
    if (!loop_.open()) return answer(fetch_error::stopped);
    answer got;
    const auto ran = loop_.run([&](context& ctx) -> task<int> {
      got = co_await ctx.http().fetch(asked);
      co_return 0;
    });
    return ran ? std::move(got) : answer(fetch_error::no_slot);
  }
  [[nodiscard]] answer get(std::string_view url, const options& how = {}) {
    return fetch({.url = url, .options = how});
  }
  [[nodiscard]] answer post(std::string_view url, std::string_view content_type,
                            std::string_view body, const options& how = {}) {
    return fetch({.method = method::post,
                  .url = url,
                  .body = body,
                  .content_type = content_type,
                  .options = how});
  }

 private:
  client_loop<Config> loop_;
};

}  // namespace nen::http
