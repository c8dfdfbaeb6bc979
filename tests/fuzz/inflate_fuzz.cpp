// permessage-deflate: nothing that a peer sends makes the inflater write more than it may, wherever
// its bytes are cut; and what is compressed inflates to itself.
#include <nen/ws/deflate.hpp>

#include <string>
#include <string_view>

#include "fuzz/fuzz.hpp"

using namespace nen;
using namespace nen::test::fuzz;

namespace {

struct outcome {
  ws::inflate_status status;
  std::string text;
};

/// @param step  bytes of room for one call
outcome inflate(ws::inflater<>& in, std::string_view message, std::uint64_t most, std::size_t cut,
                std::size_t step) {
  in.start_message(most, true);
  outcome result{ws::inflate_status::need_more, {}};
  const auto take = [&](std::string_view piece, bool is_last) {
    while (true) {
      std::string room(step, '\0');
      const auto done = in.read(piece, is_last, room);
      NEN_PROPERTY(done.produced <= step && done.consumed <= piece.size());
      result.text += room.substr(0, done.produced);
      NEN_PROPERTY(result.text.size() <= most);
      result.status = done.status;
      if (done.status != ws::inflate_status::output_full) return;
      piece.remove_prefix(done.consumed);
    }
  };
  cut = std::min(cut, message.size());
  take(message.substr(0, cut), false);
  if (result.status == ws::inflate_status::need_more) take(message.substr(cut), true);
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static ws::inflater<> in;
  static ws::deflater<> out;
  static const bool is_open = in.open() && out.open(15, 1);
  NEN_PROPERTY(is_open);
  choices from(data, size);
  const std::uint64_t most = from.byte() * std::uint64_t{64};
  const std::size_t cut = from.byte();
  const std::size_t step = 1 + from.below(200);
  const bool compresses = from.flag();
  const std::string_view bytes = from.rest();
  if (!compresses) {
    const outcome whole = inflate(in, bytes, most, 0, 4096);
    const outcome pieces = inflate(in, bytes, most, cut, step);
    NEN_SAME(whole.status, pieces.status);
    if (whole.status == ws::inflate_status::complete) NEN_SAME(whole.text, pieces.text);
    return 0;
  }
  out.reset();
  std::string room(bytes.size() + 200, '\0');
  const auto compressed = out.compress(bytes, room);
  NEN_PROPERTY(compressed.has_value());
  const outcome again =
      inflate(in, std::string_view(room).substr(0, *compressed), bytes.size(), cut, step);
  NEN_SAME(again.status, ws::inflate_status::complete);
  NEN_SAME(again.text, std::string(bytes));
  return 0;
}
