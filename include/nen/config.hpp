// What a server is made of (struct config, at compile time) and how it behaves (struct
// listen_options, at run time).
#pragma once

#include <nen/core/cidr_list.hpp>
#include <nen/core/frame_pool.hpp>
#include <nen/core/log_event.hpp>
#include <nen/core/log_options.hpp>
#include <nen/core/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

// The durations alone, where they can be had without the calendar and the streams of <chrono>.
#if __has_include(<bits/chrono.h>)
#include <bits/chrono.h>
#else
#include <chrono>
#endif

namespace nen {

inline constexpr std::size_t KiB = 1024;
inline constexpr std::size_t MiB = 1024 * KiB;

/// Everything that shapes a server's memory. All counts are per shard.
struct config {
  std::uint32_t shards = 1;             ///< threads, each with its own ring, pools and listener
  std::uint32_t connections = 1024;     ///< open at once; more wait in the kernel's backlog
  std::uint32_t receive_buffers = 256;  ///< lent to the kernel for reading; a power of two
  std::uint32_t receive_buffer_bytes = 8 * KiB;
  std::uint32_t send_slots = 256;  ///< hold answers until the kernel has taken them
  std::uint32_t send_slot_bytes = 16 * KiB;
  std::uint32_t response_bytes_max = 16 * KiB;  ///< a copied body; static bodies have no limit
  std::uint32_t head_slots = 64;  ///< for heads (and the heads of bodies) that come in pieces
  std::uint32_t head_bytes_max = 8 * KiB;    ///< request line, fields and trailers; longer is 431
  std::uint32_t fields_max = 64;             ///< field lines, trailers too; more is 431
  std::uint32_t target_bytes_max = 4 * KiB;  ///< request target; longer is 414
  std::uint32_t streams = 64;                ///< answers being streamed at once; one more is 503
  std::uint32_t body_slots = 32;             ///< for bodies that come in pieces; none free is 503
  std::uint32_t body_bytes_max = 64 * KiB;   ///< longer is 413

  /// Keeps the address of each client, for request::client(), tcp::peer::client() and the log.
  bool client_addresses = false;
  // These imply client_addresses, and need <nen/server/client_gate.hpp>.
  bool client_rules = false;  ///< for listen_options::access, trusted_proxies and forwarded;
                              ///< the next two imply it
  /// Clients that are remembered by their address, for listen_options::limits; 0: none. More than
  /// connections + 8, so that each connection's client has its place and one can be forgotten.
  std::uint32_t client_limits = 0;
  bool proxy_protocol = false;  ///< for listen_options::proxy_protocol
  /// Gives each request an id (request_id), which every answer says in X-Request-Id.
  bool request_ids = false;
  /// For lines of the access log that are not written yet; 0: there is no access log, else a power
  /// of two, at least 8 KiB. Keeps addresses as well.
  std::uint32_t log_bytes = 0;

  // These take memory only where a handler or a session is a coroutine.
  std::uint32_t tasks = 64;      ///< handlers that are coroutines, at once; one more is 503.
                                 ///< So many may be spawned besides
  std::uint32_t outgoing = 64;   ///< connections to others at once
  std::uint32_t endpoints = 16;  ///< to which connections are kept at once
  std::uint32_t fetches = 16;  ///< answers of HTTP servers that are asked for, or in hand, at once
  std::uint32_t fetch_head_bytes = 8 * KiB;   ///< of one, with its trailers; longer is refused
  std::uint32_t fetch_body_bytes = 64 * KiB;  ///< of one that is gathered; longer is refused
  std::uint32_t fetch_url_bytes = 2 * KiB;    ///< of a URL that is asked for; longer is refused
  std::uint32_t shard_calls = 16;             ///< questions to other shards on their way at once
  std::uint32_t polls = 16;                   ///< descriptors of others that are waited for at once
  /// Where coroutines live, theirs and the ones that they await: slots of these sizes.
  std::array<frame_class, 4> task_frames = {{{512, 128}, {1024, 128}, {2048, 32}, {8192, 8}}};

  // These take memory only where a route is a nen::websocket.
  std::uint32_t websockets = 1024;      ///< open at once; one more is 503
  std::uint32_t ws_message_slots = 16;  ///< for messages that come in pieces; none free is 1013
  std::uint32_t ws_message_bytes_max = 64 * KiB;   ///< of one that is gathered; longer is 1009
  std::uint32_t ws_broadcast_slots = 256;          ///< frames that are being sent to many
  std::uint32_t ws_broadcast_bytes_max = 4 * KiB;  ///< longer ones are copied for each member
  /// Sends of shared or large messages that wait for their peers. A broadcast takes one for each
  /// member, and ws_views / websockets are each WebSocket's own, whatever the others hold.
  std::uint32_t ws_views = 4 * websockets;
};

/// What to do with a connection that comes when every slot is taken.
enum class overload : std::uint8_t {
  wait,  ///< leave it in the kernel's backlog until a slot is free
  shed,  ///< answer 503 with Retry-After at once (raw TCP: nothing) and close
};

/// What one client may do, who is an IPv4 address or the first 64 bits of an IPv6 one. Zero: no
/// limit. Each shard counts for itself, and the kernel spreads connections over the shards: who has
/// many of them may get as much from each shard. (Dividing by the shards would refuse a client with
/// one connection, who has done nothing wrong.) Needs config::client_limits.
struct limit_options {
  std::uint32_t connections_per_client = 0;  ///< at once; one more is closed before it is read
  std::uint32_t connections_per_second = 0;  ///< in the long run; more are closed as well
  std::uint32_t connection_burst = 0;        ///< in one moment; 0: as many as in a second
  std::uint32_t requests_per_second = 0;     ///< in the long run; more are answered 429
  std::uint32_t request_burst = 0;           ///< in one moment; 0: as many as in a second
  /// Whatever is refused for a limit, and each malformed request, is an offence. So many within the
  /// window, and the client is on the blacklist: what it asks is answered 429 and closed, and
  /// nothing that it connects is read.
  std::uint32_t offences_max = 0;
  std::chrono::milliseconds offence_window{60'000};
  std::chrono::milliseconds blacklist_time{600'000};
};

class access_control;

/// From whom a PROXY header is expected in front of all other bytes. Whoever it is expected from
/// and does not send one is closed. There is no guessing: else anybody could be anybody.
enum class proxy_protocol : std::uint8_t {
  off,
  from_trusted,  ///< from listen_options::trusted_proxies; others speak for themselves
  from_all,      ///< for ports that only proxies can reach
};

enum class forwarded_field : std::uint8_t;

struct resolver;

/// How connections to others are made and kept.
struct client_options {
  std::uint32_t connections_per_endpoint = 64;     ///< at once, unused ones included
  std::chrono::milliseconds idle_timeout{30'000};  ///< for one that nobody uses
  std::chrono::milliseconds connect_timeout{5'000};
  /// After a connect that failed, nobody tries again for this time: doubled with each failure up to
  /// the longest, and varied by up to a half. Who asks meanwhile is told at once how it failed.
  std::chrono::milliseconds backoff{50};
  std::chrono::milliseconds backoff_max{1'000};
  /// Who is asked for names that are not in /etc/hosts; outlives the server. Null: nobody.
  const nen::resolver* resolver = nullptr;
};

class request;
struct service_observer;

/// When the kernel asks a silent peer whether it is still there, tcp(7). Lengths are whole seconds.
struct tcp_keepalive {
  std::chrono::seconds idle{0};       ///< silence before it is asked, up to 32,767; 0: never
  std::chrono::seconds interval{15};  ///< between unanswered questions, 1 to 32,767
  int count = 4;                      ///< of them, before the connection is broken off, 1 to 127
};

/// Everything that shapes a server's behaviour.
struct listen_options {
  std::string_view host = "0.0.0.0";  ///< numeric IPv4 or IPv6 address
  std::uint16_t port = 8080;          ///< 0: the kernel chooses; server::port() tells
  std::string_view unix_path = {};    ///< a Unix socket instead of host and port
  int backlog = 4096;                 ///< connections the kernel holds; it caps this at somaxconn
  bool tcp_nodelay = true;
  nen::tcp_keepalive tcp_keepalive = {};  ///< notices a peer that vanished without a word
  bool reuse_port = true;                 ///< a listener for each shard; false: they share one

  // Listeners that were there before the server and stay when it stops: who comes meanwhile waits
  // for whoever accepts from them next, and is not refused. host, port, unix_path and backlog don't
  // count then. The shards share them out, and there are no more of them than shards.
  /// Listening stream sockets, which stay the caller's.
  std::span<const int> listeners = {};
  /// Where to get them from instead: nen::systemd::sockets (<nen/net/systemd.hpp>) gives those that
  /// systemd, or who speaks its protocol, started this process with.
  result<std::span<const int>> (*socket_activation)(std::string_view name) noexcept = nullptr;
  /// Of these only the ones with this name (FileDescriptorName=); empty: all.
  std::string_view socket_name = {};

  /// Who is told how the server is; outlives it. A nen::systemd::notifier
  /// (<nen/server/systemd.hpp>) tells systemd (Type=notify) when every shard accepts connections
  /// and when the server stops; and with WatchdogSec= that it is well, as long as every shard's
  /// loop goes round.
  service_observer* systemd_notify = nullptr;

  // Zero: no limit.
  /// From a request's first byte to the last one of its head; and to the first byte of all.
  std::chrono::milliseconds header_timeout{10'000};
  /// From the head to the body's last byte.
  std::chrono::milliseconds body_timeout{30'000};
  /// For an answer that was deferred; then 503.
  std::chrono::milliseconds handler_timeout{30'000};
  /// For the kernel to take one send (up to 256 KiB) whole: a peer that does not read is cut off,
  /// and so is one that reads so slowly that no room for it comes up in this time.
  std::chrono::milliseconds write_timeout{30'000};
  /// Between requests. Raw TCP: without a byte of the peer's, when all of ours are sent.
  std::chrono::milliseconds idle_timeout{60'000};
  /// After an error answer, or what raw TCP sent before its close, for the peer to read it.
  std::chrono::milliseconds linger_timeout{2'000};
  /// Before anything else when the server stops: for this time it accepts and serves on, and tells
  /// load balancers to go elsewhere (nen::readyz, server_status::is_draining).
  std::chrono::milliseconds drain_delay{0};
  /// For requests in hand, and sessions that don't close, when the server stops.
  std::chrono::milliseconds drain_timeout{10'000};
  /// When the server stops, for HTTP connections without a request: one that is on its way is
  /// answered, and told that it is the last; who sends none is told the end. Zero: at once, which
  /// loses such a request. Below zero: a second with inherited listeners, else zero.
  std::chrono::milliseconds drain_idle_timeout{-1};

  std::uint32_t requests_per_connection_max = 0;  ///< 0: no limit
  nen::overload overload = nen::overload::wait;

  /// What each client may do; needs config::client_limits.
  limit_options limits = {};
  /// Who may connect at all (core/access.hpp); it outlives the server and may be changed while that
  /// runs. Null: everybody. This and the next four need config::client_rules, or one of those that
  /// imply it.
  const access_control* access = nullptr;
  /// Peers that are believed when they say whose requests and connections they pass on
  /// (core/cidr.hpp); the list outlives the server. They are not limited themselves, only the
  /// clients whom they name.
  cidr_list trusted_proxies = {};
  bool trusts_unix_sockets = false;  ///< whoever may open the socket is such a peer
  nen::proxy_protocol proxy_protocol = nen::proxy_protocol::off;  ///< config::proxy_protocol
  /// The field of a trusted proxy's requests that says whose they are (http/forwarded.hpp): the one
  /// that the proxy writes; any other is the client's own invention.
  nen::forwarded_field forwarded = {};

  client_options clients = {};  ///< connections that handlers make, where they are coroutines
  std::string_view server_name = "nen";  ///< the Server field; empty: none; at most 64 characters

  access_log_options access_log = {};  ///< needs config::log_bytes

  /// Called once, on the thread that called run or start, when every shard accepts connections.
  /// @param address  "127.0.0.1:8080", "[::1]:8080" or "unix:/run/app.sock"
  void (*on_listening)(std::string_view address) = nullptr;

  /// Called with all that the server has to say while it runs, on the shards' threads. By default
  /// it is said on stderr: a line each, at most 20 a second, and none that stderr does not take at
  /// once.
  void (*on_log)(const log_event&) = nullptr;

  /// Called when an exception left a handler; the answer is a 500. By default on_log is told.
  /// Sessions of WebSockets and of raw TCP have no request: it is an empty one.
  /// @param what  std::exception::what()
  void (*on_exception)(const request& which, const char* what) = nullptr;
};

namespace detail {

/// A duration as the event loop counts it; its clock wraps, so that 20 days are the longest.
constexpr std::uint32_t to_milliseconds(std::chrono::milliseconds duration) noexcept {
  constexpr std::uint32_t longest = 20 * 24 * 3'600'000u;
  if (duration.count() < 0) return 0;
  return duration.count() > longest ? longest : static_cast<std::uint32_t>(duration.count());
}

/// True when a server's listeners outlive it.
constexpr bool inherits_listeners(const listen_options& options) noexcept {
  return options.socket_activation != nullptr || !options.listeners.empty();
}

constexpr std::uint32_t drain_idle_milliseconds(const listen_options& options) noexcept {
  if (options.drain_idle_timeout.count() >= 0) return to_milliseconds(options.drain_idle_timeout);
  return inherits_listeners(options) ? 1'000 : 0;
}

}  // namespace detail

}  // namespace nen
