// What handlers that ask somebody else share: one question, and the line that answers it.
#pragma once

#include <nen/http/response.hpp>
#include <nen/io/stream.hpp>
#include <nen/io/task.hpp>

#include <string>

namespace nen::test {

/// Asks, and reads the line that answers. What came behind the line is left unread.
/// @param line  the answer; what came of it when there is no whole one
inline task<tcp::outcome> ask_for_line(tcp::stream& whom, std::string& line) {
  const auto sent = co_await whom.write("question\n");
  if (sent != tcp::outcome::ok) co_return sent;
  while (true) {
    const auto got = co_await whom.read(500);
    if (!got) co_return got.status;
    const auto end = got.bytes.find('\n');
    line += got.bytes.substr(0, end);
    if (end == got.bytes.npos) continue;
    whom.unread(got.bytes.size() - end - 1);
    co_return tcp::outcome::ok;
  }
}

/// What a proxy answers when it got no answer itself: RFC 9110 §15.6.3, §15.6.5.
inline reply no_answer(response& res, tcp::outcome why) {
  return res.status(why == tcp::outcome::timed_out ? status::gateway_timeout : status::bad_gateway);
}

}  // namespace nen::test
