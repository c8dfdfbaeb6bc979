// The whole server on the simulated ring. The input is what clients send, and behind it, read from
// its end, what happens: the faults, who sends how much of it when, who leaves, how time passes.
// The invariants of the shard are checked at every turn, and whoever is answered is answered in
// HTTP, or behind a 101 in frames.
#include <nen/testing/simulated_server.hpp>

#include <array>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>

#include "fuzz/fuzz.hpp"
#include "sim/app.hpp"
#include "support/client.hpp"
#include "websocket/ws_app.hpp"

using namespace nen;
using namespace nen::test::fuzz;

namespace {

constexpr config tiny = {.connections = 3,
                         .receive_buffers = 2,
                         .receive_buffer_bytes = 128,
                         .send_slots = 12,
                         .send_slot_bytes = 1024,
                         .response_bytes_max = 2048,
                         .head_slots = 1,
                         .head_bytes_max = 512,
                         .fields_max = 8,
                         .target_bytes_max = 128,
                         .streams = 1,
                         .body_slots = 1,
                         .body_bytes_max = 512,
                         .websockets = 2,
                         .ws_message_slots = 1,
                         .ws_message_bytes_max = 512,
                         .ws_broadcast_slots = 2,
                         .ws_broadcast_bytes_max = 16};
namespace talk = test::talk;
using routes =
    test::sim::routes_with<websocket<"/e", talk::echo>, websocket<"/q", talk::quick>,
                           websocket<"/s", talk::streamer>, websocket<"/r", talk::talker>>;
using tiny_server = testing::simulated_server<routes, tiny, test::sim::app, talk::application>;

testing::faults make_faults(choices& from) {
  const auto often = [&] { return static_cast<std::uint16_t>(from.below(4) * 150); };
  testing::faults made;
  made.short_receive = often();
  made.short_send = often();
  made.no_buffer = often();
  made.multishot_stops = often();
  made.end_with_lease = often();
  made.refused_accept = often();
  made.late = often();
  made.cancel_misses = often();
  made.reordered = from.flag();
  made.small_submission_queue = from.flag();
  return made;
}

/// The first answer is one. What follows depends on the requests' methods, which only the server
/// has understood.
void check_answers(const std::string& received) {
  if (received.empty()) return;
  NEN_PROPERTY(std::string_view("HTTP/1.1 ").starts_with(received.substr(0, 9)) ||
               received.starts_with("HTTP/1.1 "));
  const auto head_end = received.find("\r\n\r\n");
  if (head_end == received.npos) return;
  try {
    const auto head = std::string_view(received).substr(0, head_end + 2);
    // Frames of a server's are whole but for the last, short and not masked.
    if (test::parse_answer_head(head).status == 101)
      (void)test::heard_in(std::string_view(received).substr(head_end + 4));
  } catch (const std::exception& problem) {
    fail(NEN_FUZZ_WHERE, problem.what() + std::string(" in ") + shown(received));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  choices from(data, size);
  listen_options options;
  options.overload = from.flag() ? overload::shed : overload::wait;
  options.on_exception = [](const request&, const char*) {};
  const auto faults = make_faults(from);
  struct step {
    std::uint8_t what, who, how_much;
  };
  std::array<step, 48> steps{};
  const std::size_t count = from.below(steps.size() + 1);
  for (std::size_t i = 0; i < count; ++i) steps[i] = {from.byte(), from.byte(), from.byte()};

  tiny_server s(from.number(), faults, options);
  s.network().window = 16 + from.byte() * std::size_t{16};
  std::string_view text = from.rest();
  std::array<std::optional<testing::simulated_client>, 5> clients;
  for (std::size_t i = 0; i < count; ++i) {
    auto& client = clients[steps[i].who % clients.size()];
    if (!client) client.emplace(s.connect());
    switch (steps[i].what % 10) {
      case 0:
      case 1:
      case 2: {
        const auto part = text.substr(0, steps[i].how_much);
        client->send(part);
        text.remove_prefix(part.size());
        break;
      }
      case 3:
        client->finish();
        break;
      case 4:
        client->reset();
        client.reset();
        break;
      case 5:
        check_answers(client->received());
        client.reset();
        break;
      case 6:
        client->stop_reading();
        break;
      case 7:
        client->read(steps[i].how_much);
        break;
      case 8:
        s.pass(steps[i].how_much * std::uint64_t{200});
        break;
      default:
        s.pass(steps[i].how_much);
        break;
    }
  }
  for (auto& client : clients) {
    if (!client) continue;
    client->start_reading();
    s.settle();
    check_answers(client->received());
  }
  for (auto& client : clients) client.reset();
  s.pass(10 * 60'000);
  testing::check_nothing_held(s.inside());
  s.network().faults = {};
  s.network().window = 64 * 1024;
  NEN_PROPERTY(s.answer_to("GET /n/7 HTTP/1.1\r\nHost: h\r\n\r\n").ends_with("{\"n\":7}"));
  NEN_SAME(s.state<talk::application>().opened, s.state<talk::application>().closed);
  return 0;
}
