// The scenarios of the parity test: scripts for clients of a server, played in lock step.
#pragma once

#include <nen/config.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/world.hpp"

namespace nen::test::scenarios {

struct scenario {
  const char* name;
  void (*play)(world&);
  listen_options options = {};
};

// ---- the scripts ----

inline void single_get(world& w) {
  const int c = w.connect();
  w.send(c, get_of("/"));
  w.expect(w.received(c).ends_with("\r\n\r\nhello"));
  w.close(c);
}

inline void keep_alive(world& w) {
  const int c = w.connect();
  for (int i = 1; i <= 3; ++i) {
    w.send(c, get_of("/"));
    w.expect(answers_in(w.received(c)) == i);
  }
  w.close(c);
}

inline void two_clients_in_turn(world& w) {
  const int a = w.connect();
  const int b = w.connect();
  w.send(b, get_of("/"));
  w.send(a, get_of("/"));
  w.close(b);
  w.send(a, get_of("/other"));
  w.expect(w.received(a).find("404") != std::string::npos);
}

inline void pipelined(world& w) {
  const int c = w.connect();
  w.send(c, get_of("/") + get_of("/other") + get_of("/"));
  w.expect(answers_in(w.received(c)) == 3);
  w.close(c);
}

/// More requests than one receive buffer holds, and more answers than a connection's share of send
/// slots.
inline void many_pipelined(world& w) {
  const int c = w.connect();
  std::string all;
  for (int i = 0; i < 40; ++i) all += get_of("/");
  w.send(c, all);
  w.expect(answers_in(w.received(c)) == 40);
}

inline void head_in_pieces(world& w) {
  const int c = w.connect();
  const std::string head = get_of("/");
  w.send(c, head.substr(0, 5));
  w.send(c, head.substr(5, 20));
  w.expect(w.received(c).empty());
  w.send(c, head.substr(25));
  w.expect(w.received(c).ends_with("hello"));
}

inline void body_in_pieces(world& w) {
  const int c = w.connect();
  const std::string message = post_of("0123456789");
  w.send(c, message.substr(0, message.size() - 8));
  w.send(c, message.substr(message.size() - 8, 3));
  w.expect(w.received(c).empty());
  w.send(c, message.substr(message.size() - 5) + get_of("/"));
  w.expect(w.received(c).find("\r\n\r\n0123456789HTTP/1.1 200 OK") != std::string::npos);
}

inline void leave_to_send(world& w) {
  const int c = w.connect();
  w.send(c, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  w.expect(w.received(c).starts_with("HTTP/1.1 100"));
  w.send(c, "abc");
  w.expect(w.received(c).ends_with("\r\n\r\nabc"));
}

inline void head_request(world& w) {
  const int c = w.connect();
  w.send(c, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
  w.expect(w.received(c).ends_with("\r\n\r\n"));
}

inline void old_client(world& w) {
  const int c = w.connect();
  w.send(c, "GET / HTTP/1.0\r\n\r\n");
  w.expect(w.state_of(c) == stream_is::ended);
  w.close(c);
}

inline void error_and_lingering(world& w) {
  const int c = w.connect();
  w.send(c, "nonsense\r\n\r\n");
  w.expect(w.received(c).starts_with("HTTP/1.1 400"));
  w.expect(w.state_of(c) == stream_is::ended);
  w.send(c, "and more");
  w.close(c);
}

inline void nobody_leaves_a_lingering_close(world& w) {
  const int c = w.connect();
  w.send(c, "nonsense\r\n\r\n");
  w.pass(600);  // linger_timeout
  w.expect(w.state_of(c) == stream_is::ended);
  w.send(c, "too late");
  w.expect(w.state_of(c) == stream_is::ended);
}

inline void finish_behind_the_answer(world& w) {
  const int c = w.connect();
  w.send(c, get_of("/"));
  w.finish(c);
  w.expect(w.state_of(c) == stream_is::ended);
}

inline void finish_with_the_request(world& w) {
  const int c = w.connect();
  w.send_and_finish(c, get_of("/"));
  w.expect(w.received(c).ends_with("hello"));
  w.expect(w.state_of(c) == stream_is::ended);
}

inline void finish_in_the_middle(world& w) {
  const int c = w.connect();
  w.send_and_finish(c, "GET / HT");
  w.expect(w.received(c).empty());
  w.expect(w.state_of(c) == stream_is::ended);
}

inline void no_word(world& w) {
  const int c = w.connect();
  w.close(c);
}

inline void reset_while_idle(world& w) {
  const int c = w.connect();
  w.send(c, get_of("/"));
  w.reset(c);
}

inline void reset_in_the_middle_of_a_head(world& w) {
  const int c = w.connect();
  w.send(c, "GET / HT");
  w.reset(c);
}

inline void large_answer(world& w) {
  const int c = w.connect();
  w.send(c, get_of("/large"));
  w.expect(w.received(c).size() > sizeof large);
  w.send(c, get_of("/"));
  w.expect(w.received(c).ends_with("hello"));
}

inline void slow_reader(world& w) {
  const int c = w.connect();
  w.stop_reading(c);
  w.send(c, get_of("/large"));
  w.send(c, get_of("/"));
  w.send(c, get_of("/other"));
  w.expect(w.received(c).empty());
  w.start_reading(c);
  w.expect(answers_in(w.received(c)) == 3);
}

inline void slow_reader_who_goes_on_asking(world& w) {
  const int c = w.connect();
  w.stop_reading(c);
  for (int i = 0; i < 6; ++i) w.send(c, get_of("/large"));
  w.start_reading(c);
  w.expect(answers_in(w.received(c)) == 6);
}

inline void reset_in_the_middle_of_an_answer(world& w) {
  const int c = w.connect();
  w.stop_reading(c);
  w.send(c, get_of("/large"));
  w.reset(c);
}

inline void close_with_something_unread(world& w) {
  const int c = w.connect();
  w.stop_reading(c);
  w.send(c, get_of("/large"));
  w.close(c);
}

inline void chunked_stream(world& w) {
  const int c = w.connect();
  w.send(c, get_of("/chunks/500/9"));
  w.expect(w.received(c).ends_with("\r\n0\r\n\r\n"));
  w.send(c, get_of("/"));
  w.expect(w.received(c).ends_with("hello"));
}

inline void client_leaves_a_stream(world& w) {
  const int c = w.connect();
  w.stop_reading(c);
  w.send(c, get_of("/endless"));
  w.close(c);
}

inline void deferred_by_a_timer(world& w) {
  const int c = w.connect();
  w.send(c, get_of("/later/100"));
  w.expect(w.received(c).empty());
  w.pass(250);
  w.expect(w.received(c).ends_with("at last"));
  w.send(c, get_of("/"));
}

inline void leaves_while_deferred(world& w) {
  const int c = w.connect();
  w.send(c, get_of("/never"));
  w.close(c);
}

inline void resets_while_deferred(world& w) {
  const int c = w.connect();
  w.send(c, get_of("/never"));
  w.reset(c);
}

/// What is pipelined behind a deferred request stays in its buffer; no receive can tell the end.
inline void leaves_while_watched(world& w) {
  const int c = w.connect();
  w.send(c, get_of("/never") + get_of("/"));
  w.finish(c);
  w.expect(w.received(c).empty());
}

inline void resets_while_watched(world& w) {
  const int c = w.connect();
  w.send(c, get_of("/never") + get_of("/"));
  w.reset(c);
}

inline void stays_while_watched(world& w) {
  const int c = w.connect();
  w.send(c, get_of("/later/100") + get_of("/"));
  w.pass(250);
  w.expect(answers_in(w.received(c)) == 2);
  w.send(c, get_of("/"));
  w.expect(answers_in(w.received(c)) == 3);
}

inline void idle_timeout(world& w) {
  const int c = w.connect();
  w.send(c, get_of("/"));
  w.pass(600);
  w.expect(w.state_of(c) == stream_is::ended);
}

inline void header_timeout(world& w) {
  const int c = w.connect();
  w.send(c, "GET / HT");
  w.pass(600);
  w.expect(w.received(c).starts_with("HTTP/1.1 408"));
  w.close(c);
}

inline void handler_timeout(world& w) {
  const int c = w.connect();
  w.send(c, get_of("/never"));
  w.pass(600);
  w.expect(w.received(c).starts_with("HTTP/1.1 503"));
  w.close(c);
}

inline void write_timeout(world& w) {
  const int c = w.connect();
  w.stop_reading(c);
  w.send(c, get_of("/large"));
  w.pass(600);
}

inline void drain(world& w) {
  const int idle = w.connect();
  w.send(idle, get_of("/"));
  const int busy = w.connect();
  w.send(busy, get_of("/later/200"));
  const int begun = w.connect();
  w.send(begun, "GET / HT");
  w.stop();
  w.expect(w.state_of(idle) == stream_is::ended);
  w.expect(w.state_of(busy) == stream_is::open);
  w.send(begun, "TP/1.1\r\nHost: h\r\n\r\n");
  w.expect(w.received(begun).ends_with("hello"));
  w.expect(w.state_of(begun) == stream_is::ended);
  w.close(begun);
  w.pass(400);
  w.expect(w.received(busy).ends_with("at last"));
  w.expect(w.state_of(busy) == stream_is::ended);
  w.close(busy);
}

inline void drain_timeout(world& w) {
  const int c = w.connect();
  w.send(c, get_of("/never"));
  w.stop();
  w.pass(600);
  w.expect(w.state_of(c) != stream_is::open);
}

inline void no_receive_buffer(world& w) {
  // Each holds one of the two buffers: what is pipelined behind a request that waits.
  const int a = w.connect();
  w.send(a, get_of("/later/300") + get_of("/"));
  const int b = w.connect();
  w.send(b, get_of("/later/300") + get_of("/"));
  const int c = w.connect();
  w.send(c, get_of("/"));
  w.expect(w.received(c).empty());
  w.pass(600);
  w.expect(answers_in(w.received(a)) == 2);
  w.expect(answers_in(w.received(b)) == 2);
  w.expect(answers_in(w.received(c)) == 1);
}

inline void no_connection_slot(world& w) {
  std::vector<int> taken;
  for (int i = 0; i < 3; ++i) {
    taken.push_back(w.connect());
    w.send(taken.back(), get_of("/"));
  }
  const int waits = w.connect();
  w.send(waits, get_of("/"));
  w.expect(w.received(waits).empty());
  w.close(taken[1]);
  w.expect(answers_in(w.received(waits)) == 1);
}

inline void shed(world& w) {
  for (int i = 0; i < 3; ++i) w.send(w.connect(), get_of("/"));
  const int c = w.connect();
  w.expect(w.received(c).starts_with("HTTP/1.1 503"));
  w.expect(w.state_of(c) == stream_is::ended);
  w.close(c);
}

inline constexpr std::chrono::milliseconds soon{300};

/// Played on a server of the usual size.
inline const scenario usual_scenarios[] = {
    {"single GET", single_get},
    {"keep-alive", keep_alive},
    {"two clients in turn", two_clients_in_turn},
    {"pipelined", pipelined},
    {"many pipelined", many_pipelined},
    {"head in pieces", head_in_pieces},
    {"body in pieces", body_in_pieces},
    {"leave to send a body", leave_to_send},
    {"HEAD", head_request},
    {"HTTP/1.0", old_client},
    {"error answer and lingering close", error_and_lingering},
    {"lingering close that nobody ends", nobody_leaves_a_lingering_close, {.linger_timeout = soon}},
    {"half close behind the answer", finish_behind_the_answer},
    {"half close with the request", finish_with_the_request},
    {"half close in the middle of a head", finish_in_the_middle},
    {"client leaves without a word", no_word},
    {"reset while idle", reset_while_idle},
    {"reset in the middle of a head", reset_in_the_middle_of_a_head},
    {"large answer", large_answer},
    {"slow reader", slow_reader},
    {"slow reader who goes on asking", slow_reader_who_goes_on_asking},
    {"reset in the middle of an answer", reset_in_the_middle_of_an_answer},
    {"close with something unread", close_with_something_unread},
    {"chunked stream", chunked_stream},
    {"client leaves a stream", client_leaves_a_stream},
    {"deferred by a timer", deferred_by_a_timer},
    {"client leaves while deferred", leaves_while_deferred},
    {"client resets while deferred", resets_while_deferred},
    {"client leaves while it is watched", leaves_while_watched},
    {"client resets while it is watched", resets_while_watched},
    {"client stays while it is watched", stays_while_watched},
    {"idle timeout", idle_timeout, {.idle_timeout = soon}},
    {"header timeout", header_timeout, {.header_timeout = soon}},
    {"handler timeout", handler_timeout, {.handler_timeout = soon}},
    {"write timeout", write_timeout, {.write_timeout = soon}},
    {"drain", drain},
    {"drain timeout", drain_timeout, {.drain_timeout = soon}},
};

/// Played on a server that is short of everything.
inline const scenario scarce_scenarios[] = {
    {"no receive buffer", no_receive_buffer},
    {"no connection slot", no_connection_slot},
    {"shed", shed, {.overload = overload::shed}},
};

}  // namespace nen::test::scenarios
