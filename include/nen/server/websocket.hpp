// server, L3: the route kind for WebSockets: nen::websocket<"/chat", session>. The handshake is an
// ordinary handler, so that middleware, groups and state work as everywhere.
#pragma once

#include <nen/core/fixed_string.hpp>
#include <nen/http/handler.hpp>
#include <nen/http/response.hpp>
#include <nen/http/router.hpp>
#include <nen/http/routes.hpp>
#include <nen/server/websocket_checks.hpp>
#include <nen/server/websocket_compression.hpp>
#include <nen/server/websocket_peer.hpp>
#include <nen/server/websocket_task.hpp>
#include <nen/ws/handshake.hpp>

#include <cstddef>
#include <new>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace nen {

/// A WebSocket at a path. Session is default constructible; one object lives for each WebSocket,
/// in a slot of the server's. Its functions, of which it has what it needs, take the peer first,
/// behind that what is named here, and behind that any State& of the server:
///   on_open(ws::peer&)      and, as a handler does, const request&, a value for each parameter of
///                           the pattern, anything with an extractor
///   on_message(ws::peer&, ws::message)
///   on_fragment(ws::peer&, ws::fragment)   instead: messages are not gathered, and of any length;
///                           but compressed ones, which are gathered to be inflated
///   on_drain(ws::peer&)     it is worth trying again to send
///   on_close(ws::peer&, ws::close_code, std::string_view reason)   once, whatever ended it
/// or instead of all these one that is a coroutine and ends the WebSocket by its end:
///   task<> on_run(ws::channel&, context&, State&...)   see server/websocket_task.hpp
/// `static constexpr ws::options options` shapes it. `static ws::decision on_upgrade(const
/// request&, response&)` may refuse with any answer, or choose the subprotocol.
template <fixed_string Pattern, class Session>
struct websocket {};

namespace ws {

/// Whether a request becomes a WebSocket.
class decision {
 public:
  /// Yes.
  /// @param protocol  the subprotocol; one that the client did not offer, or of more than 128
  ///                  characters, is not named to it; empty: none
  static decision accept(std::string_view protocol = {}) noexcept { return decision(protocol); }
  /// No: `return res.status(403);`
  decision(reply answer) noexcept : refusal_(answer) {}

  const std::optional<reply>& refusal() const noexcept { return refusal_; }
  std::string_view protocol() const noexcept { return protocol_; }

 private:
  explicit decision(std::string_view protocol) noexcept : protocol_(protocol) {}

  std::optional<reply> refusal_;
  std::string_view protocol_;
};

}  // namespace ws

namespace detail {

/// What the server has to know of a session's type before it can call it.
struct websocket_type {
  const ws::options* options;
};

template <class Session>
constexpr ws::options options_of() noexcept {
  if constexpr (requires { Session::options; }) {
    return Session::options;
  } else {
    return {};
  }
}
template <class Session>
inline constexpr ws::options websocket_options = options_of<Session>();
/// Its address tells sessions' types apart.
template <class Session>
inline constexpr websocket_type websocket_type_of = {&websocket_options<Session>};

/// What on_open takes behind the peer; nothing where it cannot be called, which was said.
template <class Session>
struct open_parameters {
  using type = type_list<>;
};
template <class List>
struct behind_first;
template <class First, class... Others>
struct behind_first<type_list<First, Others...>> {
  using type = type_list<Others...>;
};
template <class Session>
concept can_open =
    has_on_open<Session> && is_session_function<decltype(&Session::on_open), ws::peer&>;
template <can_open Session>
struct open_parameters<Session>
    : behind_first<typename member_function<decltype(&Session::on_open)>::parameters> {};

inline ws::decision decide(const ws::handshake& offered, const ws::options& options) noexcept {
  const auto speaks = [&](std::string_view name) {
    for (const auto known : options.protocols)
      if (known == name) return true;
    return false;
  };
  return ws::decision::accept(offered.find_protocol(speaks).value_or(std::string_view{}));
}

inline constexpr std::size_t extensions_bytes_max = 160;

/// Answers with 101, RFC 6455 §4.2.2.
inline reply accept_websocket(response& res, const ws::handshake& offered,
                              std::string_view protocol, std::string_view extensions) noexcept {
  char lines[512];
  char* at = put(lines, "Upgrade: websocket\r\nSec-WebSocket-Accept: ");
  const ws::accept_text accept = ws::accept_key(offered.key());
  at = put(at, {accept.data(), accept.size()});
  at = put(at, "\r\n");
  // One that the client did not offer would make it fail the connection, RFC 6455 §4.1.
  constexpr std::size_t protocol_bytes_max = 128;
  if (!protocol.empty() && protocol.size() <= protocol_bytes_max &&
      offered.offers_protocol(protocol))
    at = put(put(put(at, "Sec-WebSocket-Protocol: "), protocol), "\r\n");
  if (!extensions.empty()) at = put(put(put(at, "Sec-WebSocket-Extensions: "), extensions), "\r\n");
  return res.switch_protocols({lines, static_cast<std::size_t>(at - lines)});
}

/// @returns  why there can be no WebSocket, if so
inline std::optional<reply> refuse_websocket(const request& req, response& res,
                                             const ws::handshake& offered,
                                             const ws::options& options) {
  switch (offered.verdict(req.method() == method::get, req.version_minor())) {
    case ws::handshake_verdict::ok:
      break;
    case ws::handshake_verdict::upgrade_required:
      res.set_status(status::upgrade_required);
      res.field("Upgrade", "websocket").field("Sec-WebSocket-Version", ws::version);
      return res.status(status::upgrade_required);
    case ws::handshake_verdict::bad_request:
      return res.status(status::bad_request);
  }
  if (options.same_origin) {
    const auto origin = req.field("Origin");
    if (origin && !ws::same_origin(*origin, req.host())) return res.status(status::forbidden);
  }
  return std::nullopt;
}

/// Gives a WebSocket back that did not get as far as its answer.
class websocket_opening {
 public:
  websocket_opening(websocket_host& host, const websocket_name& name) noexcept
      : host_(&host), name_(name) {}
  ~websocket_opening() {
    if (host_ != nullptr) host_->call->abandon(*host_, name_);
  }
  websocket_opening(const websocket_opening&) = delete;
  websocket_opening& operator=(const websocket_opening&) = delete;

  void done() noexcept { host_ = nullptr; }

 private:
  websocket_host* host_;
  websocket_name name_;
};

/// What lives in a WebSocket's slot.
template <class Session>
using websocket_object = std::conditional_t<has_on_run<Session>, websocket_run<Session>, Session>;

/// The states that on_run takes behind the channel and the context.
template <class Function>
struct run_states {
  using type = type_list<>;
};
template <class Session, class... State>
struct run_states<task<void> (Session::*)(ws::channel&, context&, State&...)> {
  using type = type_list<State&...>;
};
template <class Session>
requires has_on_run<Session>
struct open_parameters<Session> : run_states<decltype(&Session::on_run)> {
};

/// The handler of a WebSocket's route.
/// @tparam Others  what on_open takes besides the peer
template <class Session, class Others>
struct websocket_handler;

template <class Session, class... P>
struct websocket_handler<Session, type_list<P...>> {
  static auto* make_object(void* memory, websocket_host& host, const websocket_name& name) {
    if constexpr (has_on_run<Session>) {
      return ::new (memory) websocket_run<Session>(websocket_access::make(host, name));
    } else {
      (void)host, (void)name;
      return ::new (memory) Session{};
    }
  }

  reply operator()(const request& req, response& res, P... values) const {
    ws::handshake offered;
    for (const field f : req.fields()) offered.add_field(f.name, f.value);
    const ws::options& options = websocket_options<Session>;
    if (const auto no = refuse_websocket(req, res, offered, options)) return *no;
    const ws::decision decided = [&] {
      if constexpr (requires { ws::decision(Session::on_upgrade(req, res)); }) {
        return Session::on_upgrade(req, res);
      } else {
        return decide(offered, options);
      }
    }();
    if (decided.refusal()) return *decided.refusal();
    const deferred& handle = response_access::handle(res);
    websocket_host* const host = deferred_access::websockets(handle);
    if (host == nullptr) return res.status(status::internal_server_error);
    websocket_name name;
    void* const memory =
        host->call->open(*host, deferred_access::name(handle), websocket_type_of<Session>, name);
    if (memory == nullptr) {
      res.field("Retry-After", "1");
      return res.status(status::service_unavailable);
    }
    websocket_opening opening(*host, name);  // its constructor may throw
    auto* const session = make_object(memory, *host, name);
    char extensions[extensions_bytes_max];
    const char* extensions_end = extensions;
    if constexpr (compression_of<Session>::type::exists)
      extensions_end = host->call->negotiate(*host, name, offered.extension_lines(), extensions);
    const reply answer =
        accept_websocket(res, offered, decided.protocol(),
                         {extensions, static_cast<std::size_t>(extensions_end - extensions)});
    if (!res.is_upgraded()) {  // what the answer has besides is too long: it became a 500
      using object = websocket_object<Session>;
      session->~object();
      return answer;
    }
    opening.done();
    if constexpr (has_on_run<Session>) {
      host->call->run(*host, name, response_access::out(res), [&] {
        session->start(session->session.on_run(session->me, *host->context, values...));
      });
    } else if constexpr (can_open<Session>) {
      ws::peer me = websocket_access::make(*host, name);
      host->call->run(*host, name, response_access::out(res),
                      [&] { session->on_open(me, static_cast<P&&>(values)...); });
    }
    return answer;
  }
};

template <class Session>
using websocket_handler_of = websocket_handler<Session, typename open_parameters<Session>::type>;

/// A route whose connections become WebSockets.
template <fixed_string Pattern, class Middleware, class Session>
struct bound_websocket
    : bound_route<method::get, Pattern, Middleware, websocket_handler_of<Session>{}> {
  using session = Session;
  static constexpr bool is_coroutine = has_on_run<Session>;
};

template <fixed_string Pattern, class Session>
struct item<websocket<Pattern, Session>> : item_defaults {
  using checked = look_into<check_session<Session>>;
  template <fixed_string Prefix, class Outer>
  using routes = type_list<bound_websocket<full_pattern<Prefix, Pattern>::value,
                                           typename to_middleware<Outer>::type, Session>>;
};

}  // namespace detail

}  // namespace nen
