// A server that writes an access log, gives each request an id, and hands traces on.
//
//   access_log --log access.log --format json      and, after mv access.log access.log.1, kill -HUP
#include <nen/nen.hpp>

#include <cstdio>

#include "../common/arguments.hpp"

namespace {

nen::reply hello(nen::response& res) { return res.text("Hello, World!"); }

nen::reply greet(std::string_view name, nen::response& res) {
  return res.begin("text/plain").write("Hello, ").write(name).write("!").finish();
}

/// Who answers a request says so to whoever looks for it in logs and traces.
nen::reply who(const nen::request_id& id, nen::trace_context trace, nen::response& res) {
  return res.json(
      {{"request", id.view()}, {"trace", trace.trace_id()}, {"next", trace.child().view()}});
}

nen::reply count(nen::response& res) {
  return res.stream("text/plain", [left = 3](nen::body_stream& out) mutable {
    if (out.ended()) return;
    if (left == 0) return void(out.finish());
    if (out.write("more\n")) --left;
  });
}

/// What the server has to say goes where this program's words go, with its code in front.
void say(const nen::log_event& event) {
  const auto code = to_string(event.code);
  std::printf("%.*s: %.*s\n", static_cast<int>(code.size()), code.data(),
              static_cast<int>(event.sentence.size()), event.sentence.data());
}

using routes = nen::router<nen::get<"/", hello>, nen::get<"/greet/:name", greet>,
                           nen::get<"/who", who>, nen::get<"/count", count>>;

constexpr nen::config sizes{.shards = 2, .request_ids = true, .log_bytes = nen::MiB};

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 8080, sample = 1;
  std::string_view log = "access.log", format = "combined";
  example::read_arguments(argc, argv,
                          {{"--port", "8080; 0: any that is free", port},
                           {"--log", "a file or a named pipe: access.log", log},
                           {"--format", "combined or json", format},
                           {"--sample", "one request of so many", sample}});
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  static nen::server<routes, sizes> server;
  const auto outcome = server.run({
      .port = port,
      .access_log = {.path = log,
                     .format = format == "json" ? nen::log_format::json : nen::log_format::combined,
                     .sample = sample},
      .on_listening =
          [](std::string_view address) {
            std::printf("listening on %.*s\n", static_cast<int>(address.size()), address.data());
          },
      .on_log = say,
  });
  unsigned long long answered = 0, lines = 0, dropped = 0;
  for (std::uint32_t i = 0; i < sizes.shards; ++i) {
    const auto& counters = server.counters(i);
    answered += counters.requests.value() + counters.requests_rejected.value();
    lines += counters.log_lines.value();
    dropped += counters.log_lines_dropped.value();
  }
  std::printf("stopped: %llu requests answered, %llu lines, %llu dropped\n", answered, lines,
              dropped);
  return outcome.exit_code();
}
