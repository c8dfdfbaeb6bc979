// server, L3: the server of raw TCP that applications make out of a session, sizes and state.
#pragma once

#include <nen/config.hpp>
#include <nen/core/result.hpp>
#include <nen/io/uring.hpp>
#include <nen/server/memory_bill.hpp>
#include <nen/server/shard_server.hpp>
#include <nen/server/tcp_coroutine.hpp>
#include <nen/server/tcp_session.hpp>

#include <cstddef>

namespace nen {

namespace detail {

/// What a server of raw TCP speaks: nothing of its own.
template <class Session, config Config, class... State>
struct tcp_protocol {
  static constexpr std::uint32_t places = Config.connections + shed_slots;
  using session = tcp_session<Session, Config, places, State...>;

  static result<void> check(const listen_options&) noexcept { return {}; }

  static constexpr void list_memory(memory_items& items, std::size_t shards) noexcept {
    items.add("sessions", shards * places, sizeof(Session));
  }
};

template <auto Serve, config Config, class... State>
struct tcp_protocol<tcp::coroutine<Serve>, Config, State...> {
  static constexpr std::uint32_t places = Config.connections + shed_slots;
  using session = async_session<tcp_coroutine_session<Serve, Config, places, State...>, Config>;

  static result<void> check(const listen_options&) noexcept { return {}; }

  static constexpr void list_memory(memory_items& items, std::size_t shards) noexcept {
    items.add("coroutines of clients", shards * places,
              sizeof(detached_task) + sizeof(stream_state));
    list_coroutine_memory<Config>(items, shards);
  }
};

}  // namespace detail

namespace tcp {

/// A server of raw TCP with a given ring; applications use nen::tcp::server.
template <template <ring_sizes> class Ring, class Session, config Config, class... State>
using basic_server =
    shard_server<Ring, nen::detail::tcp_protocol<Session, Config, State...>, Config, State...>;

/// A server of raw TCP on the kernel's io_uring.
///
/// Session is default constructible; one object lives for each connection. Its functions, of which
/// it has what it needs, are public, neither overloaded nor templates, and take the peer first,
/// behind that what is named here, and behind that any State& of the server:
///   std::size_t on_data(tcp::peer&, std::span<const std::byte>)
///                             bytes came; returns how many it used (void: all; std::string_view
///                             instead of the span if that is handier). It is called again at once
///                             while it uses some. What it leaves is back-pressure: no more is
///                             read, and the rest is offered again when something of what it sent
///                             has left, when there is memory to send, or when it resumes. Where
///                             none of these can come, since it has sent nothing, could send, and
///                             is not paused, the connection is closed (close_reason::stalled):
///                             input that is incomplete is the session's to keep, see tcp::gather
///   void on_open(tcp::peer&)
///   void on_writable(tcp::peer&)   it is worth trying again to send, after a send that was not
///                             accepted whole
///   void on_end(tcp::peer&)   the peer has sent all, and it was used; without this function the
///                             connection closes when all is sent
///   void on_timeout(tcp::peer&)    what peer::set_timeout gave has passed, or else
///                             listen_options::idle_timeout, which begins again; without this
///                             function the connection closes
///   void on_drain(tcp::peer&)      the server stops; without this function the connection closes
///                             when all is sent. What stays open longer than
///                             listen_options::drain_timeout is cut off
///   void on_close(tcp::peer&, tcp::close_reason)   once, whatever ended it
/// That a function's name is misspelt can't be told: it is never called. An exception that leaves
/// one is said (listen_options::on_exception) and ends the connection by a reset.
/// @tparam Config  sizes: shards, connections, receive buffers, send slots and response_bytes_max
///                 (what one send accepts at the least while it accepts anything) count here
/// @tparam State   types of which the server has one object each, for sessions that ask for them
template <class Session, config Config = config{}, class... State>
class server : public basic_server<uring, Session, Config, State...> {};

}  // namespace tcp

}  // namespace nen
