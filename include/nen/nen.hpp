// Everything of nen: HTTP/1.1, WebSocket and raw TCP servers on io_uring out of memory that is
// fixed at compile time.
#pragma once

#include <nen/config.hpp>
#include <nen/http/body_part.hpp>
#include <nen/http/conditional.hpp>
#include <nen/http/cookie.hpp>
#include <nen/http/event_stream.hpp>
#include <nen/http/json.hpp>
#include <nen/http/query.hpp>
#include <nen/http/request.hpp>
#include <nen/http/response.hpp>
#include <nen/http/router.hpp>
#include <nen/io/context.hpp>
#include <nen/io/exchange.hpp>
#include <nen/io/shard_call.hpp>
#include <nen/io/when.hpp>
#include <nen/server/async_session.hpp>
#include <nen/server/server.hpp>
#include <nen/server/tcp_gather.hpp>
#include <nen/server/tcp_server.hpp>
#include <nen/server/web_session.hpp>
#include <nen/server/websocket.hpp>
#include <nen/server/websocket_group.hpp>
