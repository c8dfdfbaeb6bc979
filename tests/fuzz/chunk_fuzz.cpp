// Bodies: chunked ones are compared with a plain reading of RFC 9112 §7.1, sized ones with their
// bytes; gathered in place, gathered elsewhere, or taken away part by part; cut anywhere, each
// piece in memory of its own where that is allowed. The input is a body and choices behind it.
#include <nen/http/body_stream.hpp>
#include <nen/http/parser.hpp>
#include <string>
#include <string_view>

#include "fuzz/fuzz.hpp"
#include "fuzz/reference_chunks.hpp"
#include "support/memory_output.hpp"

using namespace nen;
using namespace nen::test::fuzz;

namespace {

constexpr std::uint16_t fields_table = 512;  // more than an input can have trailers
constexpr std::size_t body_bytes_max = 2 * input_bytes_max;

enum class body_place { in_place, elsewhere, elsewhere_late, streamed };

struct plan {
  std::uint64_t content_max;
  std::uint32_t extra_max;
  std::size_t piece_max;
  std::uint32_t seed;
  body_place body;
};

struct outcome {
  parse_status status = parse_status::need_more;
  nen::status answer{};
  std::size_t consumed = 0;  ///< of the body
  std::string content;
  std::string trailers;  ///< as reference_chunks has them
};

guarded_bytes head_area(4096);
guarded_bytes piece_area(4096);
guarded_bytes gathered_area(8192);
guarded_bytes trailer_area(4096);

/// Feeds a head in one piece and a body in many.
class run {
 public:
  run(std::string_view head, std::string_view body, const plan& how) : body_(body), how_(how) {
    std::memset(static_cast<void*>(&parser_), 0xa5, sizeof parser_);
    const bool in_place = how.body == body_place::in_place;
    std::string bytes(head);
    if (in_place || how.body == body_place::elsewhere_late) bytes += body;
    base_ = head_area.place(bytes);
    in_message_ = base_ + head.size();
    parser_.start(base_, {how.extra_max, fields_table, 64, how.content_max});
    const parse_result result = parser_.feed(base_, in_message_);
    NEN_SAME(result.status, parse_status::head_complete);
    NEN_SAME(result.consumed, head.size());
  }

  outcome feed_all() {
    if (how_.body == body_place::elsewhere) gather_elsewhere();
    if (how_.body == body_place::streamed) {
      parser_.stream_body();
      move_trailers();
    }
    dice random(how_.seed);
    std::size_t begin = 0;
    while (out_.status == parse_status::need_more && begin != body_.size()) {
      const std::size_t left = body_.size() - begin;
      const std::size_t wanted = how_.piece_max == 0 ? left : 1 + random.below(how_.piece_max);
      const std::size_t size = wanted < left ? wanted : left;
      feed(begin, size);
      begin += size;
      if (how_.body == body_place::elsewhere_late && begin == size && parser_.in_body()) {
        gather_elsewhere();
      }
    }
    if (out_.status != parse_status::rejected && how_.body != body_place::streamed) {
      out_.content = parser_.message().body();
    }
    if (out_.status == parse_status::message_complete) {
      for (const field f : parser_.message().trailers())
        out_.trailers.append(f.name).append("=").append(f.value).append("\n");
    }
    return out_;
  }

 private:
  /// Once the body is gathered elsewhere or taken away, a piece may lie anywhere.
  void feed(std::size_t begin, std::size_t size) {
    const bool anywhere = gathered_ || how_.body == body_place::streamed;
    char* const at = anywhere ? piece_area.place(body_.substr(begin, size)) : in_message_ + begin;
    if (!anywhere) head_area.hide_from(at + size);
    const parse_result result = parser_.feed(at, at + size);
    if (!anywhere) head_area.show_from(at + size);
    NEN_PROPERTY(result.status != parse_status::head_complete && result.consumed <= size);
    out_.status = result.status;
    out_.consumed += result.consumed;
    if (result.status == parse_status::rejected) {
      out_.answer = result.answer;
    } else if (how_.body == body_place::streamed) {
      out_.content += parser_.message().body();
      if (parser_.in_body()) parser_.drop_body();
    }
  }

  void gather_elsewhere() {
    parser_.body_into(gathered_area.room(2 * body_bytes_max), 2 * body_bytes_max);
    gathered_ = true;
    move_trailers();
  }

  /// Head and trailers share head_bytes_max: there is exactly the room that the head leaves.
  void move_trailers() {
    parser_.trailers_into(trailer_area.room(how_.extra_max - parser_.head().head_bytes));
  }

  std::string_view body_;
  const plan& how_;
  request_parser_with<fields_table> parser_;
  char* base_ = nullptr;
  char* in_message_ = nullptr;
  bool gathered_ = false;
  outcome out_;
};

constexpr std::string_view chunked_head =
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

void check_chunked(std::string_view body, const plan& how) {
  const std::uint64_t limit =
      how.body == body_place::streamed ? ~std::uint64_t{0} : how.content_max;
  const reference_chunks wanted(body, limit);
  const outcome seen = run(chunked_head, body, how).feed_all();
  using verdict = reference_chunks::verdict;

  const std::size_t extra_max = how.extra_max - chunked_head.size();
  if (seen.answer == status::request_header_fields_too_large) {
    NEN_PROPERTY(wanted.extra_most() > extra_max);
    return;
  }
  NEN_PROPERTY(wanted.extra_least() <= extra_max);
  switch (wanted.is()) {
    case verdict::complete:
      NEN_SAME(seen.status, parse_status::message_complete);
      NEN_SAME(seen.consumed, wanted.bytes());
      NEN_SAME(seen.trailers, wanted.trailers());
      break;
    case verdict::incomplete:
      NEN_SAME(seen.status, parse_status::need_more);
      NEN_SAME(seen.consumed, body.size());
      break;
    case verdict::malformed:
      NEN_SAME(seen.status, parse_status::rejected);
      NEN_SAME(seen.answer, status::bad_request);
      return;
    case verdict::too_large:
      // Streamed, only a sum of 2^64 bytes is too large, and that is not counted.
      if (how.body == body_place::streamed) return;
      NEN_SAME(seen.status, parse_status::rejected);
      NEN_SAME(seen.answer, status::content_too_large);
      return;
  }
  NEN_SAME(seen.content, wanted.content());
}

/// @param length  at least 1
void check_sized(std::string_view body, std::size_t length, const plan& how) {
  const std::string head =
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
  const outcome seen = run(head, body, how).feed_all();
  if (body.empty()) return;  // nothing was fed
  if (how.body != body_place::streamed && length > how.content_max) {
    NEN_SAME(seen.status, parse_status::rejected);
    NEN_SAME(seen.answer, status::content_too_large);
    return;
  }
  const bool is_whole = body.size() >= length;
  NEN_SAME(seen.status, is_whole ? parse_status::message_complete : parse_status::need_more);
  NEN_SAME(seen.content, body.substr(0, length));
  NEN_SAME(seen.consumed, is_whole ? length : body.size());
}

/// What body_stream writes in parts is read as the whole that it was.
void check_round_trip(std::string_view content, const plan& how) {
  nen::test::memory_output out(256, 16 * input_bytes_max);
  out.begin_message();
  body_stream stream(out, true);
  dice random(how.seed);
  for (std::string_view rest = content; !rest.empty();) {
    const std::string_view part = rest.substr(0, 1 + random.below(40));
    NEN_PROPERTY(stream.write(part));
    rest.remove_prefix(part.size());
  }
  NEN_PROPERTY(stream.finish({{"Digest", "x y"}, {"Empty", ""}}));
  plan wide = how;
  wide.content_max = body_bytes_max;
  wide.extra_max = 4096;
  const std::string written = out.text();
  const outcome seen = run(chunked_head, written.substr(0, 4096 - 64), wide).feed_all();
  if (written.size() > 4096 - 64) return;  // too much for the areas
  NEN_SAME(seen.status, parse_status::message_complete);
  NEN_SAME(seen.consumed, written.size());
  NEN_SAME(seen.content, content);
  NEN_SAME(seen.trailers, "Digest=x y\nEmpty=\n");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > input_bytes_max) return 0;
  choices from(data, size);
  plan how{};
  const std::uint8_t flags = from.byte();
  how.body = static_cast<body_place>(flags >> 1 & 3);
  how.piece_max = from.byte();
  how.seed = from.byte();
  how.seed = how.seed << 8 | from.byte();
  const std::uint8_t extra = from.byte();
  const std::uint8_t content = from.byte();
  how.extra_max = extra == 0 ? 4096 : 64 + extra;  // the head needs some of it
  how.content_max = content == 0 ? body_bytes_max : content - 1U;
  const std::size_t length = 1 + from.byte();
  const std::string_view body = from.rest();
  check_chunked(body, how);
  if ((flags & 1) != 0) check_sized(body, length, how);
  if ((flags & 8) != 0) check_round_trip(body, how);
  return 0;
}
