// A server with an access log on the simulated ring, with a route for every way to answer, and the
// lines that it has written.
#pragma once

#include <nen/http/request_id.hpp>
#include <nen/http/trace_context.hpp>
#include <nen/nen.hpp>
#include <nen/testing/simulated_server.hpp>

#include <regex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace nen::test::logging {

/// For requests that wait for somebody else's word.
struct waiting {
  deferred handle;
};

inline reply hello(response& res) { return res.text("hello"); }
inline reply echo(const request& req, response& res) { return res.bytes(req.body()); }
inline reply written(response& res) { return res.begin("a/b").write("123").write("4567").finish(); }
inline reply table(response& res) { return res.send_static("a/b", "static bytes"); }
inline reply status_of(std::uint16_t code, response& res) {
  return res.status(static_cast<status>(code));
}
inline reply parts(response& res) {
  return res.stream("a/b", [left = 3](body_stream& out) mutable {
    if (out.ended()) return;
    if (left == 0) return void(out.finish());
    if (out.write("four")) --left;
  });
}
inline reply endless(response& res) {
  return res.stream("a/b", [](body_stream& out) {
    if (!out.ended() && out.write("12345678")) out.wait();
  });
}
inline reply parks(waiting& w, response& res) {
  w.handle = res.defer();
  return res.later();
}
/// Answers the request that waits, in the middle of its own answer.
inline reply wakes(waiting& w, response& res) {
  (void)w.handle.complete([](const request&, response& r) { return r.text("woken"); });
  return res.text("and me");
}
inline reply sums(response& res) {
  return res.receive([bytes = std::size_t{0}](const body_part& part, response& r) mutable {
    bytes += part.bytes.size();
    return part.is_last ? r.json({{"bytes", bytes}}) : r.more();
  });
}
[[noreturn]] inline reply throws(const request&) { throw std::runtime_error("on purpose"); }
inline reply long_winded(response& res) {
  return res.bytes(std::string(64 * 1024, 'x'));  // longer than config::response_bytes_max
}
inline reply whoami(const request_id& id, trace_context trace, response& res) {
  res.field("X-Trace", trace.trace_id());
  return res.text(id);
}
inline task<reply> later(context& ctx, std::uint32_t ms, const request& req, response& res) {
  co_await ctx.sleep(ms);
  co_return res.text(request_id::of(req));
}
struct speaker {
  void on_message(ws::peer& me, ws::message m) { (void)me.send(m.bytes); }
};

using plain_routes =
    router<get<"/", hello>, post<"/echo", echo>, get<"/written", written>, get<"/table", table>,
           get<"/status/:code", status_of>, get<"/parts", parts>, get<"/endless", endless>,
           get<"/parks", parks>, get<"/wakes", wakes>, get<"/throws", throws>,
           get<"/long", long_winded>, get<"/whoami", whoami>, streamed<post<"/sums", sums>>>;
using all_routes = router<get<"/", hello>, get<"/parks", parks>, get<"/wakes", wakes>,
                          get<"/later/:ms", later>, websocket<"/ws", speaker>>;

inline constexpr int log_descriptor = 7;
inline listen_options logged(access_log_options log = {}) {
  log.descriptor = log_descriptor;
  listen_options options;
  options.access_log = log;
  options.on_exception = [](const request&, const char*) {};
  return options;
}

inline constexpr config small{
    .connections = 16, .send_slots = 64, .request_ids = true, .log_bytes = 8 * KiB};

using plain_server = testing::simulated_server<plain_routes, small, waiting>;
using any_server = testing::simulated_server<all_routes, small, waiting>;

/// What is written, with the lines that are being gathered.
template <class Server>
std::string text_of(Server& s) {
  if (!s.is_over()) s.pass(20);
  return s.network().sink_of(log_descriptor).text();
}

inline std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != text.npos; begin = end + 1)
    lines.push_back(text.substr(begin, end - begin));
  if (begin != text.size()) lines.push_back("without its end: " + text.substr(begin));
  return lines;
}
template <class Server>
std::vector<std::string> lines_of(Server& s) {
  return split(text_of(s));
}

/// What a line of the combined format says, without address, time and duration:
/// `"GET / HTTP/1.1" 200 5 "-" "-"`; of one that has another form, all of it.
inline std::string gist(const std::string& line) {
  static const std::regex form(
      R"re(^127\.0\.0\.1 - - \[\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d \+0000\] )re"
      R"re(("[^"]*" (?:\d{3}|-) \d+ "[^"]*" "[^"]*") (\d+\.\d{6}) (\S+) (\S+)$)re");
  std::smatch parts;
  return std::regex_match(line, parts, form) ? parts[1].str() : "not in form: " + line;
}
/// The words at its end.
struct tail {
  double seconds;
  std::string id, trace;
};
inline tail tail_of(const std::string& line) {
  const auto trace = line.rfind(' ');
  const auto id = line.rfind(' ', trace - 1);
  const auto seconds = line.rfind(' ', id - 1);
  return {std::stod(line.substr(seconds + 1)), line.substr(id + 1, trace - id - 1),
          line.substr(trace + 1)};
}

inline std::string get_of(std::string_view path, std::string_view lines = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(lines) + "\r\n";
}
inline std::string field_of(const std::string& answer, std::string_view name) {
  const auto at = answer.find("\r\n" + std::string(name) + ": ");
  if (at == answer.npos) return "";
  const auto begin = at + name.size() + 4;
  return answer.substr(begin, answer.find("\r\n", begin) - begin);
}

}  // namespace nen::test::logging
