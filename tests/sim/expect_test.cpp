// Expect: 100-continue (RFC 9110 §10.1.1): who waits for leave to send his body gets it, once; who
// has begun to send gets none.
#include <nen/testing/simulated_server.hpp>

#include <string>
#include <vector>

#include "sim/app.hpp"
#include "support/catch.hpp"

namespace {

using namespace nen::test::sim;

constexpr nen::config usual = {.connections = 8, .receive_buffers = 8, .send_slots = 24};
using server = nen::testing::simulated_server<routes, usual, app>;

constexpr std::string_view leave = "HTTP/1.1 100 Continue\r\n\r\n";

struct upload {
  std::string target;
  std::string framing;
  std::string body;  ///< as it is sent
  std::string answer;
};

const upload uploads[] = {
    {"/echo", "Content-Length: 6\r\n", "abcdef", "\r\n\r\nabcdef"},
    {"/echo", "Transfer-Encoding: chunked\r\n", "6\r\nabcdef\r\n0\r\n\r\n", "\r\n\r\nabcdef"},
    {"/sum/0", "Content-Length: 1\r\n", "b", "{\"sum\":" + std::to_string(sum_of("b")) + "}"},
    {"/sum/0", "Content-Length: 6\r\n", "aaaaaa",
     "{\"sum\":" + std::to_string(sum_of("aaaaaa")) + "}"},
};

std::string head_of(const upload& u) {
  return "POST " + u.target + " HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n" + u.framing +
         "\r\n";
}

/// Sends the pieces one by one. @returns  what was answered to each
std::vector<std::string> answers_to(const std::vector<std::string>& pieces) {
  server s;
  auto c = s.connect();
  std::vector<std::string> all;
  for (const std::string& piece : pieces) {
    c.send(piece);
    s.settle();
    all.push_back(c.take());
  }
  return all;
}

}  // namespace

TEST_CASE("who waits for leave to send a body gets it, once", "[sim]") {
  for (const upload& u : uploads) {
    const std::string head = head_of(u);
    INFO(head);
    const auto whole = answers_to({head, u.body});
    CHECK(whole[0] == leave);
    CHECK(whole[1].starts_with("HTTP/1.1 200 "));
    CHECK(whole[1].ends_with(u.answer));
    const auto cut = answers_to({head.substr(0, 30), head.substr(30), u.body});
    CHECK(cut[0].empty());
    CHECK(cut[1] == leave);
    CHECK(cut[2].ends_with(u.answer));
  }
}

TEST_CASE("who has begun to send a body needs no leave", "[sim]") {
  for (const upload& u : uploads) {
    const std::string head = head_of(u);
    INFO(head);
    const std::size_t begun = u.body.find_first_of("ab") + 1;
    if (begun == u.body.size()) continue;
    const auto together = answers_to({head + u.body.substr(0, begun), u.body.substr(begun)});
    CHECK(together[0].empty());
    CHECK(together[1].starts_with("HTTP/1.1 200 "));
    CHECK(together[1].ends_with(u.answer));
    const auto cut = answers_to(
        {head.substr(0, 30), head.substr(30) + u.body.substr(0, begun), u.body.substr(begun)});
    CHECK(cut[1].empty());
    CHECK(cut[2].starts_with("HTTP/1.1 200 "));
  }
}

TEST_CASE("in HTTP/1.0 there is no leave to give", "[sim]") {
  const auto answers =
      answers_to({"POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", "a"});
  CHECK(answers[0].empty());
  CHECK(answers[1].starts_with("HTTP/1.1 200 "));
}
