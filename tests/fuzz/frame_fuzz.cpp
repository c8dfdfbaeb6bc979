// WebSocket frames: what a reader finds does not depend on where the bytes are cut, it never says
// more than it was given, and the handshake's lists are read without harm.
#include <nen/ws/deflate_offer.hpp>
#include <nen/ws/handshake.hpp>
#include <nen/ws/message_reader.hpp>

#include <string>
#include <string_view>

#include "fuzz/fuzz.hpp"
#include "ws/frames.hpp"

using namespace nen;
using namespace nen::test::fuzz;

namespace {

/// In one piece, and in pieces of every size that the input chooses.
void check_cuts(choices& from) {
  const ws::frame_rules rules = {.side = from.flag() ? ws::side::client : ws::side::server,
                                 .compression = from.flag(),
                                 .message_bytes_max = from.byte() * std::uint64_t{8}};
  const bool room_at_once = from.flag();
  const std::size_t step = 1 + from.below(24);
  const std::string_view in = from.rest();
  test::feeder<test::noting_message_reader> whole(rules);
  test::feeder<test::noting_message_reader> pieces(rules, room_at_once);
  whole.feed(in);
  for (std::size_t at = 0; at < in.size() && pieces.feed(in.substr(at, step)); at += step) continue;
  NEN_SAME(whole.found(), pieces.found());
}

void check_lists(std::string_view in) {
  ws::handshake offered;
  const auto line_end = in.find('\n');
  offered.add_field("Sec-WebSocket-Protocol", in.substr(0, line_end));
  offered.add_field("Sec-WebSocket-Extensions", in);
  (void)offered.verdict(true, 1);
  const std::string_view lines[] = {in};
  const auto agreed = ws::accept_deflate(lines, {});
  if (!agreed) return;
  char text[ws::deflate_text_bytes_max];
  const char* const end = ws::write_deflate(text, *agreed);
  NEN_PROPERTY(end <= text + sizeof text);
  // What was agreed on is what is understood of the answer.
  NEN_PROPERTY(agreed->server_max_window_bits >= 9 && agreed->server_max_window_bits <= 15);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  choices from(data, size);
  if (from.flag()) {
    check_lists(from.rest());
  } else {
    check_cuts(from);
  }
  return 0;
}
