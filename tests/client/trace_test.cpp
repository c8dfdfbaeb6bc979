// A trace goes on from one server to the next: what a handler asks others for is of the trace that
// its own request is of.
#include <nen/http/trace_context.hpp>
#include <nen/nen.hpp>

#include <string>

#include "support/test_server.hpp"

namespace {

using namespace nen::test;

nen::reply shown(nen::trace_context trace, nen::response& res) {
  return res.json({{"trace", trace.trace_id()},
                   {"parent", trace.parent_id()},
                   {"sampled", trace.sampled()},
                   {"root", trace.is_root()}});
}
nen::server<nen::router<nen::get<"/", shown>>, nen::config{.connections = 8}> behind;

struct upstream {
  std::string url;
};
nen::task<nen::reply> passes_on(nen::trace_context trace, nen::context& ctx, upstream& to,
                                nen::response& res) {
  const auto span = trace.child();
  const nen::field fields[] = {{"traceparent", span}};
  auto answer = co_await ctx.http().get(to.url, {.fields = fields});
  if (!answer) co_return res.status(502);
  res.field("X-Span", span.view().substr(36, 16));
  res.field("X-Trace", trace.trace_id());
  co_return res.send("application/json", answer.body());
}
nen::server<nen::router<nen::get<"/", passes_on>>, nen::config{.connections = 8}, upstream> front;

}  // namespace

TEST_CASE("a request to others is a child of the request that it is for") {
  running second(behind);
  front.state<upstream>().url = "http://127.0.0.1:" + std::to_string(second.port()) + "/";
  running first(front);
  client c = first.connect();
  const std::string trace = "0af7651916cd43dd8448eb211c80319c";
  auto a = c.ask("GET / HTTP/1.1\r\nHost: h\r\ntraceparent: 00-" + trace +
                 "-b7ad6b7169203331-01\r\n\r\n");
  const std::string span(a.field("X-Span"));
  CHECK(span.size() == 16);
  CHECK(span != "b7ad6b7169203331");
  CHECK(a.body == "{\"trace\":\"" + trace + "\",\"parent\":\"" + span +
                      "\",\"sampled\":true,\"root\":false}");

  a = c.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");  // a trace that begins here
  const std::string its(a.field("X-Trace"));
  CHECK(its.size() == 32);
  CHECK(a.body == "{\"trace\":\"" + its + "\",\"parent\":\"" + std::string(a.field("X-Span")) +
                      "\",\"sampled\":false,\"root\":false}");
}
