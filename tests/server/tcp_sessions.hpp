// Sessions of raw TCP for tests: an echo, and one that does what its test says and keeps a journal.
#pragma once

#include <nen/config.hpp>
#include <nen/server/tcp_server.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nen::test {

/// What is used is what was accepted for sending.
struct echo_session {
  std::size_t on_data(tcp::peer& me, std::span<const std::byte> bytes) { return me.send(bytes); }
};

/// What every session of a server does, and what happened to them.
struct script {
  using act = std::function<void(tcp::peer&)>;

  act open = [](tcp::peer&) {};
  std::function<std::size_t(tcp::peer&, std::string_view)> data =
      [](tcp::peer&, std::string_view bytes) { return bytes.size(); };
  act writable = [](tcp::peer&) {};
  act end = [](tcp::peer& me) { me.close(); };
  act timeout = [](tcp::peer& me) { me.close(); };
  act drain = [](tcp::peer& me) { me.close(); };
  act close = [](tcp::peer&) {};

  std::vector<std::string> journal;
  std::vector<tcp::peer> peers;  ///< in the order of their accepts

  /// What was put down since this was asked last.
  std::string take() {
    std::string all;
    for (const auto& line : journal) all += (all.empty() ? "" : ", ") + line;
    journal.clear();
    return all;
  }
};

struct scripted_session {
  void on_open(tcp::peer& me, script& s) {
    s.journal.push_back("open");
    s.peers.push_back(me);
    s.open(me);
  }
  std::size_t on_data(tcp::peer& me, std::string_view bytes, script& s) {
    const std::size_t used = s.data(me, bytes);
    s.journal.push_back("data " + std::to_string(used) + " of " + std::to_string(bytes.size()));
    return used;
  }
  void on_writable(tcp::peer& me, script& s) {
    s.journal.push_back("writable");
    s.writable(me);
  }
  void on_end(tcp::peer& me, script& s) {
    s.journal.push_back("end");
    s.end(me);
  }
  void on_timeout(tcp::peer& me, script& s) {
    s.journal.push_back("timeout");
    s.timeout(me);
  }
  void on_drain(tcp::peer& me, script& s) {
    s.journal.push_back("drain");
    s.drain(me);
  }
  void on_close(tcp::peer& me, tcp::close_reason why, script& s) {
    s.journal.push_back("close " + std::string(to_string(why)));
    s.close(me);
  }
};

/// Little of everything, so that it runs out.
inline constexpr config small_tcp = {.connections = 8,
                                     .receive_buffers = 8,
                                     .receive_buffer_bytes = 512,
                                     .send_slots = 16,
                                     .send_slot_bytes = 1024,
                                     .response_bytes_max = 1024};

}  // namespace nen::test
