// What one client's message does at the end of its memory is not felt in the memory beside it.
#include <nen/testing/simulated_server.hpp>

#include <deque>
#include <string>

#include "sim/app.hpp"
#include "support/catch.hpp"

namespace {

using namespace nen::test::sim;

constexpr std::uint16_t fields = 8;

/// The first length from 256 on behind which a head slot has no padding: one byte more is another
/// slot's.
template <std::uint32_t Bytes = 256>
constexpr std::uint32_t unpadded() {
  using nen::detail::head_slot;
  if constexpr (sizeof(head_slot<Bytes + 1, fields>) > sizeof(head_slot<Bytes, fields>)) {
    return Bytes;
  } else {
    return unpadded<Bytes + 1>();
  }
}

constexpr std::uint32_t head_bytes = unpadded();
constexpr std::size_t body_bytes = 1024;
constexpr std::size_t clients = 3;

/// A slot for each client, so that each has the other two beside it, and the last one the pool's
/// links.
constexpr nen::config one_each = {.connections = 8,
                                  .receive_buffers = 8,
                                  .receive_buffer_bytes = 512,
                                  .send_slots = 24,
                                  .send_slot_bytes = 1024,
                                  .response_bytes_max = 2048,
                                  .head_slots = clients,
                                  .head_bytes_max = head_bytes,
                                  .fields_max = fields,
                                  .target_bytes_max = 64,
                                  .streams = 1,
                                  .body_slots = clients,
                                  .body_bytes_max = body_bytes};
using server = nen::testing::simulated_server<routes, one_each, app>;

/// Each client begins a message; then one of them says too much, and the others end theirs.
void check(const std::string& begin, const std::string& too_much, std::string_view refused,
           const std::string& end, std::string_view answered) {
  for (std::size_t greedy = 0; greedy < clients; ++greedy) {
    INFO("the greedy one is client " << greedy);
    server s;
    std::deque<nen::testing::simulated_client> all;
    for (std::size_t i = 0; i < clients; ++i) {
      all.push_back(s.connect());
      all.back().send(begin);
      s.settle();
    }
    all[greedy].send(too_much);
    s.settle();
    CHECK(all[greedy].take().starts_with(refused));
    for (std::size_t i = 0; i < clients; ++i) {
      if (i == greedy) continue;
      all[i].send(end);
      s.settle();
      CHECK(all[i].take().ends_with(answered));
    }
  }
}

}  // namespace

TEST_CASE("a head longer than its slot leaves the slots beside it alone", "[sim]") {
  const std::string begin = "GET /n/1 HTTP/1.1\r\nX: ";
  for (const std::size_t beyond : {0u, 1u, head_bytes}) {
    INFO(beyond << " bytes too many");
    check(begin, std::string(head_bytes - begin.size() + beyond, 'x'), "HTTP/1.1 431 ",
          "y\r\nHost: h\r\n\r\n", "{\"n\":1}");
  }
}

TEST_CASE("a body longer than its slot leaves the slots beside it alone", "[sim]") {
  const std::string head = "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string chunk = "1f4\r\n" + std::string(500, 'b') + "\r\n";
  check(head + chunk + chunk, "19\r\n" + std::string(25, 'x') + "\r\n", "HTTP/1.1 413 ",
        "18\r\n" + std::string(24, 'y') + "\r\n0\r\n\r\n", "b" + std::string(24, 'y'));
}
