// traceparent of W3C Trace Context: what is read, what is refused, what is sent on. And the ids of
// requests.
#include <nen/http/request_id.hpp>
#include <nen/http/trace_context.hpp>

#include <set>
#include <string>
#include <string_view>

#include "http/made_request.hpp"
#include "support/catch.hpp"

using namespace std::string_literals;
using nen::request_id;
using nen::trace_context;
using nen::traceparent;
using nen::test::made_request;

namespace {

const std::string trace = "0af7651916cd43dd8448eb211c80319c";
const std::string parent = "b7ad6b7169203331";
const std::string good = "00-" + trace + "-" + parent + "-01";

trace_context context_of(const nen::request& req) {
  return *nen::extractor<trace_context>::from(req);
}

}  // namespace

TEST_CASE("a traceparent is read as the specification says") {
  struct example {
    std::string text;
    bool valid;
    bool sampled = false;
  };
  const std::string ids = trace + "-" + parent;
  const example examples[] = {
      {good, true, true},
      {"00-" + ids + "-00", true, false},
      {"00-" + ids + "-ff", true, true},
      {"00-" + ids + "-02", true, false},
      // Later versions: as far as 00 goes, and then nothing or a dash.
      {"01-" + ids + "-01", true, true},
      {"01-" + ids + "-01-what-the-future-will-be-like", true, true},
      {"fe-" + ids + "-01-", true, true},
      {"01-" + ids + "-01.what", false},
      {"01-" + ids + "-011", false},
      {"ff-" + ids + "-01", false},
      // Version 00 has nothing behind its flags.
      {good + "-", false},
      {good + "-extra", false},
      {good + " ", false},
      {" " + good, false},
      // Ids of nothing, and digits that are none.
      {"00-" + std::string(32, '0') + "-" + parent + "-01", false},
      {"00-" + trace + "-" + std::string(16, '0') + "-01", false},
      {"00-0AF7651916cd43dd8448eb211c80319c-" + parent + "-01", false},
      {"00-" + trace + "-B7ad6b7169203331-01", false},
      {"00-" + ids + "-0G", false},
      {"00-" + ids + "-0A", false},
      {"0x-" + ids + "-01", false},
      {"0A-" + ids + "-01", false},
      // Of another shape.
      {"", false},
      {"00", false},
      {good.substr(0, 54), false},
      {"00_" + ids + "-01", false},
      {"00-" + trace + "_" + parent + "-01", false},
      {"00-" + ids + "_01", false},
      {"00-" + trace.substr(1) + "-" + parent + "0-01", false},
  };
  for (const example& e : examples) {
    INFO(e.text);
    const auto found = traceparent::parse(e.text);
    REQUIRE(found.has_value() == e.valid);
    if (!e.valid) continue;
    CHECK(found->trace() == trace);
    CHECK(found->parent() == parent);
    CHECK(found->sampled == e.sampled);
    char text[traceparent::text_bytes];
    CHECK(found->write(text) == text + sizeof text);
    CHECK(std::string(text, sizeof text) == "00-" + ids + (e.sampled ? "-01" : "-00"));
  }
}

TEST_CASE("a request's trace goes on with another span for each request to others") {
  const made_request made(nen::method::get, {{"traceparent", good}});
  trace_context context = context_of(made.view());
  CHECK(context.trace_id() == trace);
  CHECK(context.parent_id() == parent);
  CHECK(context.sampled());
  CHECK(!context.is_root());
  std::set<std::string> spans{parent};
  for (int i = 0; i < 100; ++i) {
    const auto child = context.child();
    const auto sent = traceparent::parse(child);
    REQUIRE(sent.has_value());
    CHECK(sent->trace() == trace);
    CHECK(sent->sampled);
    CHECK(spans.insert(std::string(sent->parent())).second);
  }
}

TEST_CASE("a request without a usable traceparent begins a trace") {
  const std::string bad = good + "-";
  const made_request requests[] = {
      made_request(nen::method::get),
      made_request(nen::method::get, {{"traceparent", bad}}),
      made_request(nen::method::get, {{"traceparent", good}, {"Traceparent", good}}),
  };
  std::set<std::string> traces{trace};
  for (const made_request& made : requests) {
    trace_context context = context_of(made.view());
    CHECK(context.is_root());
    CHECK(context.parent_id().empty());
    CHECK(!context.sampled());
    CHECK(traces.insert(std::string(context.trace_id())).second);
    const auto sent = traceparent::parse(context.child());
    REQUIRE(sent.has_value());
    CHECK(sent->trace() == context.trace_id());
    CHECK(!sent->sampled);
  }
}

TEST_CASE("a request id is taken from the client only where it is harmless") {
  struct example {
    std::string text;
    bool valid;
  };
  const example examples[] = {
      {"a", true},
      {"7b6c1ed2-3f2a-4c59-9c1f-0d5ab1d1cafe", true},
      {"AZaz09!#$%&'*+-.^_`|~", true},
      {std::string(64, 'x'), true},
      {std::string(65, 'x'), false},
      {"", false},
      {"a b", false},
      {"a\"b", false},
      {"a\\b", false},
      {"a=b", false},
      {"<script>", false},
      {"a\tb", false},
      {"caf\xc3\xa9", false},
      {"a\0b"s, false},
  };
  for (const example& e : examples) {
    INFO(e.text);
    CHECK(request_id::is_valid(e.text) == e.valid);
    const made_request made(nen::method::get, {{"X-Request-ID", e.text}});
    const auto id = *nen::extractor<request_id>::from(made.view());
    CHECK((id.view() == e.text) == e.valid);
    CHECK(request_id::is_valid(id.view()));
    if (!e.valid) CHECK(id.view().size() == 32);
  }
  const made_request twice(nen::method::get, {{"X-Request-Id", "a"}, {"X-Request-Id", "b"}});
  CHECK(request_id::of(twice.view()).view().size() == 32);
}

TEST_CASE("ids that are made are another one each time") {
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i)
    seen.insert(std::string(request_id(nen::make_unique_number()).view()));
  CHECK(seen.size() == 10'000);
  CHECK(request_id(nen::unique_number{0x0123'4567'89ab'cdef, 0xfedc'ba98'7654'3210}).view() ==
        "0123456789abcdeffedcba9876543210");
}

TEST_CASE("numbers that are seeded can be made again") {
  nen::detail::number_source one{}, same{}, other{};
  one.seed(7);
  same.seed(7);
  other.seed(8);
  const auto first = one.next();
  CHECK(first == same.next());
  CHECK(first != other.next());
  CHECK(first != one.next());
}
