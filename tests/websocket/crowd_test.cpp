// Ten thousand WebSockets: what one costs that is idle, and what a message to all of them costs.
#include <nen/nen.hpp>
#include <nen/testing/simulated_server.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/test_server.hpp"
#include "websocket/ws_client.hpp"

namespace {

using namespace nen::test;

constexpr std::uint32_t crowd = 10'000;

/// For the bill: what a session keeps is its own affair.
template <std::size_t Bytes>
struct keeps {
  void on_message(nen::ws::peer&, nen::ws::message) {}
  std::array<char, Bytes> own;
};
template <std::size_t Bytes>
using routes_of = nen::router<nen::websocket<"/", keeps<Bytes>>>;
template <std::uint32_t Count, std::size_t Bytes>
using server_of =
    nen::server<routes_of<Bytes>,
                nen::config{.connections = 1024, .websockets = Count, .ws_views = crowd}>;

/// What one more WebSocket takes besides its connection, when its session's object has so many
/// bytes.
template <std::size_t Bytes>
constexpr double each = double(sizeof(server_of<crowd, Bytes>) - sizeof(server_of<1000, Bytes>)) /
                        (crowd - 1000);

using room = nen::ws::group<crowd>;
struct member {
  void on_open(nen::ws::peer& me, room& all) { all.join(me); }
  void on_message(nen::ws::peer&, nen::ws::message m, room& all) {
    (void)all.broadcast(m, nen::ws::slow_peer::drop);
  }
};
nen::reply tell(std::uint32_t bytes, room& all, nen::response& res) {
  const std::string text(bytes, 'b');
  return res.text(std::to_string(all.broadcast(text, nen::ws::slow_peer::drop)));
}
/// Only what the crowd needs: ws_views is left to its default.
constexpr nen::config crowded = {.connections = crowd + 8,
                                 .receive_buffers = 1024,
                                 .receive_buffer_bytes = 512,
                                 .send_slots = 256,
                                 .send_slot_bytes = 1024,
                                 .response_bytes_max = 1024,
                                 .head_slots = 16,
                                 .head_bytes_max = 1024,
                                 .fields_max = 16,
                                 .target_bytes_max = 256,
                                 .streams = 1,
                                 .body_slots = 1,
                                 .body_bytes_max = 512,
                                 .websockets = crowd,
                                 .ws_broadcast_bytes_max = 256};
using room_routes = nen::router<nen::websocket<"/", member>, nen::get<"/tell/:bytes", tell>>;

struct server : nen::testing::simulated_server<room_routes, crowded, room> {
  std::string ask(std::string_view target) {
    const auto all = answer_to("GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n");
    return all.substr(all.find("\r\n\r\n") + 4);
  }
  auto sends() {
    const auto& history = inside().io().history();
    return std::count(history.begin(), history.end(), nen::operation::send);
  }
};

// The same for real, in a server of its own.
using idle_routes = nen::router<nen::websocket<"/", keeps<160>>>;
nen::server<idle_routes, crowded> idle_server;

std::size_t resident_bytes() {
  std::size_t all = 0;
  std::size_t resident = 0;
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  REQUIRE(file != nullptr);
  REQUIRE(std::fscanf(file, "%zu %zu", &all, &resident) == 2);
  std::fclose(file);
  return resident * static_cast<std::size_t>(::getpagesize());
}

/// A process of its own, because each has its own limit of descriptors: opens the crowd, and holds
/// it until its input ends.
[[noreturn]] void be_the_crowd(int input) {
  std::uint16_t port = 0;
  if (::read(input, &port, sizeof port) != sizeof port) ::_exit(1);
  const auto upgrade = upgrade_of("/");
  for (std::uint32_t i = 0; i < crowd; ++i) {
    const int s = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (s < 0 || ::connect(s, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) ::_exit(2);
    if (::send(s, upgrade.data(), upgrade.size(), 0) != static_cast<ssize_t>(upgrade.size()))
      ::_exit(3);
    char answer[512];
    if (::recv(s, answer, sizeof answer, 0) <= 0 || !std::string_view(answer, 12).ends_with("101"))
      ::_exit(4);
  }
  char end = 0;
  ::_exit(::read(input, &end, 1) == 0 ? 0 : 5);
}

}  // namespace

TEST_CASE("an idle WebSocket is its connection, its session's object, and 120 bytes at most",
          "[websocket]") {
  // The pool's link and the reader of frames among them; the object's alignment is 16.
  std::printf("a WebSocket besides its connection: %.1f bytes with an object of 1, %.1f of 160\n",
              each<1>, each<160>);
  CHECK(each<16> <= 16 + 120);
  CHECK(each<160> <= 160 + 120);
  CHECK(each<160> - each<16> == Approx(144).margin(0.5));  // and what it keeps once
  CHECK(sizeof(nen::detail::websocket_state) <= 120);
  // The bill has a line for it.
  const auto bill = server_of<crowd, 160>::memory();
  const auto line = std::find_if(bill.items.begin(), bill.items.end(),
                                 [](const auto& item) { return item.name == "WebSockets"; });
  REQUIRE(line != bill.items.end());
  CHECK(line->count == crowd);
  CHECK(double(line->bytes) / crowd == Approx(each<160>).margin(5));
}

TEST_CASE("a message to 10,000 members is encoded once, and costs each a view", "[websocket]") {
  server s;
  std::vector<nen::testing::simulated_client> members;
  s.network().window = 60;  // less than a frame
  const auto upgrade = upgrade_of("/");
  for (std::uint32_t i = 0; i < crowd; ++i) {
    members.push_back(s.connect());
    members.back().send(upgrade);
    if (i % 100 == 99) s.settle();
  }
  REQUIRE(s.state<room>().size() == crowd);
  auto& session = s.inside().session();
  for (auto& m : members) m.take();
  CHECK(session.messages().high_water() == 0);
  CHECK(session.shared_frames().high_water() == 0);
  // They cannot be sent anything now: what is sent waits.
  for (auto& m : members) m.stop_reading();
  const auto sends = s.sends();
  for (std::uint32_t message = 1; message <= 4; ++message) {
    INFO("message " << message);
    CHECK(s.ask("/tell/64") == std::to_string(crowd));
    CHECK(session.shared_frames().high_water() == message);  // encoded once
    CHECK(session.shared_frames().in_use() == message);
    CHECK(s.inside().sends_held() == message * crowd);  // and each waits by a view
    CHECK(s.inside().send_slots().in_use() == 0);       // without a copy
  }
  constexpr std::size_t view_bytes = sizeof(nen::send_view) + sizeof(std::uint32_t);  // its link
  std::printf("a broadcast costs %zu bytes for each member and message that waits\n", view_bytes);
  CHECK(view_bytes <= 64);
  CHECK(s.counters().ws_views_empty.value() == 0);
  CHECK(s.sends() - sends == crowd + 4);  // one each, and our answers
  for (auto& m : members) m.start_reading();
  s.settle();
  const auto frame_of_64 = frame(text_frame, std::string(64, 'b'), false);
  std::uint32_t complete = 0;
  for (auto& m : members)
    complete += m.take() == frame_of_64 + frame_of_64 + frame_of_64 + frame_of_64;
  CHECK(complete == crowd);
  CHECK(s.inside().sends_held() == 0);
  CHECK(session.shared_frames().in_use() == 0);
}

TEST_CASE("10,000 idle WebSockets hold as much memory as the bill says, and no more",
          "[websocket][timing]") {
  int line[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, line) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(line[1]);
    be_the_crowd(line[0]);
  }
  ::close(line[0]);
  {
    running run(idle_server);
    const auto before = resident_bytes();
    const std::uint16_t port = idle_server.port();
    REQUIRE(::write(line[1], &port, sizeof port) == sizeof port);
    const bool all_came = nen::test::eventually([&] {
      return idle_server.counters().websockets_opened.value() == crowd ||
             ::waitpid(child, nullptr, WNOHANG) == child;
    });
    CHECK(all_came);
    CHECK(idle_server.counters().websockets_opened.value() == crowd);
    const double cost = double(resident_bytes() - before) / crowd;
    constexpr double connection =
        sizeof(decltype(idle_server)::shard::connection) + sizeof(std::uint32_t);
    std::printf(
        "10,000 idle WebSockets: %.1f bytes resident each, of which its connection %.0f, "
        "its object 160\n",
        cost, connection);
    // The buffers that the handshakes went through are few, and used again and again.
    constexpr double buffers =
        double(crowded.receive_buffers) * crowded.receive_buffer_bytes / crowd;
    CHECK(cost <= connection + 160 + 120 + buffers + 10);
    CHECK(cost >= 160);
    CHECK(::shutdown(line[1], SHUT_WR) == 0);
    CHECK(nen::test::eventually(
        [&] { return idle_server.counters().websockets_closed.value() == crowd; }));
  }
  CHECK(::waitpid(child, nullptr, 0) == child);
  ::close(line[1]);
}
