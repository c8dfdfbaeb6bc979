// That the pieces of a message reach the server apart: the other tests rely on it.
#include "conformance/check.hpp"

using namespace nen::test::conformance;

namespace {
nen::server<routes, limits> untouched;
}

TEST_CASE("a message that is cut is read in two pieces, and the server keeps the first one",
          "[conformance]") {
  nen::test::running run(untouched);
  const row request = {"", NEN_GET NEN_HOST "\r\n", "200 next"};
  {
    prober probe(run.port());
    const std::vector<delivery> all(prober::batch_size, {&request, {20}});
    probe.run(all, [](const attempt& a) { CHECK(a.outcome() == "200 next"); });
  }
  run.end();
  // Every connection of the batch held its head at the same time.
  CHECK(untouched.shard_at(0).session().head_slots().high_water() == prober::batch_size);
}

TEST_CASE("the words for an outcome tell apart what has to be told apart", "[conformance]") {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
  const std::string one_and_a_half = head + "ab" + head + "a";
  const reading whole(one_and_a_half, false);
  CHECK(whole.answers.size() == 1);
  CHECK(whole.answers[0].body == "ab");
  CHECK(whole.rest() == head + "a");
  const std::string with_leave = head + "HTTP/1.1 100 Continue\r\n\r\n";
  const reading to_head(with_leave, true);
  CHECK(to_head.answers.size() == 1);
  CHECK(to_head.answers[0].body.empty());
  CHECK(to_head.continues == 1);
  CHECK(is_imf_fixdate("Sun, 06 Nov 1994 08:49:37 GMT"));
  CHECK_FALSE(is_imf_fixdate("Sunday, 06-Nov-94 08:49:37 GMT"));
  CHECK_FALSE(is_imf_fixdate("Sun, 06 Nov 1994 08:49:37 UTC"));
  CHECK_FALSE(is_imf_fixdate("Sun, 06 Nov 1994 08:49:3x GMT"));
}
