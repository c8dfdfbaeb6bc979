// Rounds, and what is checked of their answers.
#include "traffic.hpp"

#include <cstdio>
#include <cstdlib>

namespace instructions {
namespace {

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "instructions: %s\n", what.c_str());
  std::fflush(stderr);
  // The server is not shut down, and its destructor would ask why.
  std::_Exit(1);
}

}  // namespace

traffic::traffic(const load::options& o, metered_server& server)
    : chosen_(o),
      server_(server),
      cycle_(load::make_requests(o), o.pipeline),
      payload_(
          load::make_payload(o.protocol == load::protocol::http ? o.body_bytes : o.message_bytes)),
      echo_(payload_, o.is_text),
      clients_(o.connections) {
  if (o.requests_per_connection % o.pipeline != 0)
    fail("--requests-per-connection has to be a multiple of --pipeline");
  for (client& c : clients_) connect(c);
}

std::uint64_t traffic::rounds_in_cycle() const {
  const std::uint64_t limit = chosen_.requests_per_connection;
  return limit == 0 ? 1 : limit / chosen_.pipeline;
}

std::uint64_t traffic::answers_in_round() const {
  return std::uint64_t{chosen_.pipeline} * clients_.size();
}

void traffic::connect(client& c) {
  c.connected.emplace(server_.network.connect());
  c.response.reset();
  c.sent = 0;
  c.is_last = false;
  if (chosen_.protocol != load::protocol::websocket) return;
  c.connected->send(load::make_handshake(chosen_));
  settle();
  const std::string answer = c.connected->take();
  if (!answer.starts_with("HTTP/1.1 101 ") || !answer.ends_with("\r\n\r\n"))
    fail("no handshake: \"" + answer + '"');
}

void traffic::round() {
  for (client& c : clients_) {
    if (!c.connected) connect(c);
    if (!chosen_.is_broadcast || &c == &clients_.front()) send_batch(c);
  }
  settle();
  for (client& c : clients_) {
    read_batch(c);
    if (c.is_last) check_end(c);
  }
  settle();
  server_.network.pass_until(server_.network.now_ms() + 1);
}

void traffic::close_all() {
  clients_.clear();
  settle();
}

void traffic::send_batch(client& c) {
  c.sent += chosen_.pipeline;
  std::string_view batch = cycle_.batch(0, chosen_.pipeline);
  if (chosen_.requests_per_connection == 0 || c.sent < chosen_.requests_per_connection)
    return c.connected->send(batch);
  c.is_last = true;
  batch.remove_suffix(cycle_.at(0).bytes.size());
  c.connected->send(std::string(batch) + cycle_.at(0).closing_bytes);
}

/// Runs the server until nothing more happens, without letting time pass.
void traffic::settle() {
  constexpr int turns_max = 100'000;
  int turns = 0;
  server_.network.horizon_ms = server_.network.now_ms();
  do {
    server_.turn();
    if (++turns == turns_max) fail("the server goes on for ever");
  } while (!server_.is_quiet());
}

void traffic::read_batch(client& c) {
  const std::string received = c.connected->take();
  std::string_view bytes = received;
  for (unsigned i = 0; i < chosen_.pipeline; ++i) {
    const std::string_view before = bytes;
    if (read_answer(c, bytes) != load::verdict::complete)
      fail("no whole answer in \"" + std::string(before.substr(0, 200)) + '"');
    check_answer(c);
    const std::string_view answer = before.substr(0, before.size() - bytes.size());
    if (chosen_.protocol == load::protocol::http && !answer.ends_with(payload_))
      fail("an answer is not the body of its request");
  }
  if (!bytes.empty()) fail("bytes without a request: \"" + std::string(bytes.substr(0, 200)) + '"');
}

load::verdict traffic::read_answer(client& c, std::string_view& bytes) {
  switch (chosen_.protocol) {
    case load::protocol::http:
      return c.response.read(bytes, cycle_.at(0).is_head);
    case load::protocol::websocket:
      return echo_.read_frames(bytes);
    case load::protocol::bytes:
      break;
  }
  return echo_.read_bytes(bytes);
}

void traffic::check_answer(const client& c) {
  if (chosen_.protocol != load::protocol::http) {
    if (echo_.length() != payload_.size() || !echo_.is_equal()) fail("an echo with other bytes");
    return echo_.next();
  }
  const int expected = chosen_.status == 0 ? 200 : chosen_.status;
  if (c.response.status() != expected)
    fail("status " + std::to_string(c.response.status()) + ", not " + std::to_string(expected));
  if (chosen_.length >= 0 && c.response.length() != static_cast<std::uint64_t>(chosen_.length))
    fail("a body of " + std::to_string(c.response.length()) + " bytes, not " +
         std::to_string(chosen_.length));
}

/// The answer was the last one of its connection.
void traffic::check_end(client& c) {
  if (!c.response.closes() || !c.connected->saw_end()) fail("the server does not close");
  c.connected.reset();
}

}  // namespace instructions
