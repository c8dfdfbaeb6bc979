// The response parser: however a response is cut and moved, and whatever the limits are, the
// outcome is that of the response in one piece; content is handed out where it lies, and is what a
// plain reading of RFC 9112 finds behind the head. The input is a response with eight bytes of
// choices behind it.
#include <nen/http/response_parser.hpp>
#include <string>
#include <string_view>

#include "fuzz/fuzz.hpp"
#include "fuzz/reference_chunks.hpp"

using namespace nen;
using namespace nen::test::fuzz;

namespace {

constexpr std::uint16_t fields_table = 32;
constexpr std::uint32_t head_bytes_max = 4096;
using parser = response_parser_with<fields_table>;

struct plan {
  method answered;
  response_limits limits;
  std::size_t piece_max;  ///< 0: all in one piece
  std::uint32_t seed;     ///< of the pieces' sizes and of when the bytes move
  bool moves;
  bool keeps_trailers;
  bool ends;  ///< the connection ends behind the input
};

plan read_plan(choices& from) {
  plan p{};
  const std::uint8_t flags = from.byte();
  p.moves = (flags & 1) != 0;
  p.keeps_trailers = (flags & 2) != 0;
  p.ends = (flags & 4) != 0;
  p.answered = static_cast<method>(from.below(method_count));
  p.piece_max = from.byte();
  p.seed = from.byte();
  p.seed = p.seed << 8 | from.byte();
  const std::uint8_t head = from.byte();
  const std::uint8_t fields = from.byte();
  const std::uint8_t body = from.byte();
  p.limits.head_bytes_max = head == 0 ? head_bytes_max : head * 2U;
  p.limits.fields_max = fields == 0 ? fields_table : fields % 8;
  p.limits.body_bytes_max = body == 0 ? ~std::uint64_t{0} : body - 1U;
  return p;
}

/// Everything that can be seen of an outcome.
struct outcome {
  response_step step = response_step::need_more;
  response_fault fault = response_fault::none;
  std::size_t consumed = 0;
  response_head head{};
  std::string text;
  std::string content;
  std::string trailers;
};

std::string describe(const received_response& r) {
  const response_head& h = r.head();
  std::string text(r.reason());
  for (const field f : r.fields()) text.append("\n").append(f.name).append("=").append(f.value);
  for (const std::uint64_t number :
       {std::uint64_t(r.code()), std::uint64_t(h.framing), std::uint64_t(h.version_minor),
        std::uint64_t(h.keep_alive), std::uint64_t(h.chunked), std::uint64_t(h.has_content_length),
        h.content_length, std::uint64_t(h.upgrade), std::uint64_t(h.head_bytes)}) {
    text += ' ' + std::to_string(number);
  }
  return text;
}

guarded_bytes areas[2]{guarded_bytes(input_bytes_max), guarded_bytes(input_bytes_max)};
guarded_bytes trailer_area(head_bytes_max);

/// One response on its way through one or, where it moves, two parsers.
class run {
 public:
  run(std::string_view input, const plan& how) : input_(input), how_(how) {
    // start() has to set everything.
    std::memset(static_cast<void*>(parsers_), 0xa5, sizeof parsers_);
    base_ = areas[0].place(input);
    now_->start(how.answered, base_, how.limits);
  }

  outcome feed_all() {
    dice random(how_.seed);
    std::size_t end = 0;
    do {
      const std::size_t left = input_.size() - end;
      const std::size_t size = how_.piece_max == 0 ? left : 1 + random.below(how_.piece_max);
      end += size < left ? size : left;
      if (how_.moves) move(end);
      areas[which_].hide_from(base_ + end);
      feed_piece(end);
      areas[which_].show_from(base_ + end);
    } while (result_.step == response_step::need_more && end != input_.size());
    if (how_.ends && result_.step == response_step::need_more) end_input();
    return see();
  }

 private:
  /// Moves the message and what is to be fed next so that they end at the guard page.
  void move(std::size_t end) {
    which_ = 1 - which_;
    base_ = areas[which_].place(input_.substr(0, end));
    parser& other = now_ == &parsers_[0] ? parsers_[1] : parsers_[0];
    now_->move_to(other, base_);
    std::memset(static_cast<void*>(now_), 0x5a, sizeof(parser));
    now_ = &other;
  }

  void feed_piece(std::size_t end) {
    do {
      const bool had_head = now_->has_head();
      result_ = now_->feed(base_ + consumed_, base_ + end);
      NEN_PROPERTY(result_.consumed <= end - consumed_);
      if (result_.step == response_step::need_more) NEN_SAME(result_.consumed, end - consumed_);
      if (result_.step == response_step::rejected) NEN_SAME(result_.consumed, 0U);
      NEN_SAME(result_.content.empty(), result_.step != response_step::body_part);
      NEN_SAME(result_.fault != response_fault::none, result_.step == response_step::rejected);
      consumed_ += result_.consumed;
      if (result_.step == response_step::head_complete) {
        NEN_PROPERTY(!had_head);
        out_.head = now_->head();
        const std::size_t left = how_.limits.head_bytes_max - out_.head.head_bytes;
        if (how_.keeps_trailers) now_->trailers_into(trailer_area.room(left));
      }
      if (result_.step == response_step::body_part) {
        // It lies at the end of what was consumed.
        NEN_PROPERTY(result_.content.data() + result_.content.size() == base_ + consumed_);
        out_.content += result_.content;
        NEN_SAME(now_->content_bytes(), out_.content.size());
      }
    } while (result_.step == response_step::head_complete ||
             result_.step == response_step::body_part);
  }

  void end_input() {
    const bool is_open = now_->has_head() && now_->head().framing == body_framing::until_close;
    result_ = now_->end_of_input();
    NEN_SAME(result_.step == response_step::message_complete, is_open);
    NEN_SAME(result_.consumed, 0U);
  }

  outcome see() {
    out_.step = result_.step;
    out_.fault = result_.fault;
    if (result_.step == response_step::rejected) {
      // Once refused, a message stays refused.
      NEN_SAME(now_->feed(base_, base_).fault, result_.fault);
      NEN_SAME(now_->end_of_input().fault, result_.fault);
      NEN_PROPERTY(!now_->keep_alive() && !now_->has_head());
      return out_;
    }
    out_.consumed = consumed_;
    if (!now_->has_head()) return out_;
    const received_response r = now_->message();
    out_.text = describe(r);
    for (const field f : r.trailers()) {
      out_.trailers.append(f.name).append("=").append(f.value) += '\n';
    }
    return out_;
  }

  std::string_view input_;
  const plan& how_;
  parser parsers_[2];
  parser* now_ = &parsers_[0];
  int which_ = 0;
  char* base_ = nullptr;
  std::size_t consumed_ = 0;
  response_result result_{};
  outcome out_;
};

void compare(const outcome& pieces, const outcome& whole) {
  NEN_SAME(pieces.step, whole.step);
  NEN_SAME(to_string(pieces.fault), to_string(whole.fault));
  NEN_SAME(pieces.consumed, whole.consumed);
  NEN_SAME(pieces.text, whole.text);
  NEN_SAME(pieces.trailers, whole.trailers);
  NEN_SAME(pieces.content, whole.content);
}

/// What a head that was accepted has to have, read line by line.
void check_head(std::string_view input, const outcome& seen, method answered) {
  const response_head& h = seen.head;
  const std::string_view head = input.substr(0, h.head_bytes);
  NEN_PROPERTY(head.starts_with(h.version_minor == 0 ? "HTTP/1.0 " : "HTTP/1.1 "));
  NEN_PROPERTY(head.ends_with("\r\n\r\n") && head.find("\r\n\r\n") == head.size() - 4);
  std::size_t lines = 0;
  for (std::size_t i = 0; i < head.size(); ++i) {
    const auto byte = static_cast<unsigned char>(head[i]);
    if (head[i] == '\r') NEN_SAME(head[i + 1], '\n');
    if (head[i] == '\n') NEN_SAME(head[i - 1], '\r');
    if (head[i] == '\n' && ++lines > 0 && i + 1 < head.size()) {
      NEN_PROPERTY(head[i + 1] != ' ' && head[i + 1] != '\t');
    }
    NEN_PROPERTY(byte >= 0x20 || head[i] == '\r' || head[i] == '\n' || head[i] == '\t');
    NEN_PROPERTY(byte != 0x7f);
  }
  NEN_SAME(std::size_t{h.field_count}, lines - 2);
  const int code = static_cast<int>(h.status);
  NEN_SAME(parse_decimal<int>(head.substr(9, 3)), std::optional<int>(code));

  const bool is_bare = code / 100 == 1 || code == 204 || code == 304 || answered == method::head;
  const bool is_tunnel = code == 101 || (code / 100 == 2 && answered == method::connect);
  const body_framing wanted = is_tunnel              ? body_framing::other_protocol
                              : is_bare              ? body_framing::none
                              : h.chunked            ? body_framing::chunked
                              : h.has_content_length ? body_framing::sized
                                                     : body_framing::until_close;
  NEN_SAME(h.framing, wanted);
  NEN_PROPERTY(!(h.chunked && (h.has_content_length || h.version_minor == 0)));
}

/// What a response that was accepted has to have behind its head.
void check_body(std::string_view input, const outcome& seen, const plan& how) {
  const std::string_view behind = input.substr(seen.head.head_bytes);
  const std::size_t taken = seen.consumed - seen.head.head_bytes;
  const bool is_complete = seen.step == response_step::message_complete;
  switch (seen.head.framing) {
    case body_framing::none:
    case body_framing::other_protocol:
      NEN_PROPERTY(is_complete && taken == 0);
      break;
    case body_framing::sized:
      NEN_SAME(seen.content, behind.substr(0, taken));
      NEN_SAME(is_complete, taken == seen.head.content_length);
      break;
    case body_framing::until_close:
      NEN_SAME(seen.content, behind);
      NEN_SAME(is_complete, how.ends);
      break;
    case body_framing::chunked: {
      const test::fuzz::reference_chunks plain(behind, how.limits.body_bytes_max);
      using verdict = test::fuzz::reference_chunks::verdict;
      NEN_SAME(plain.is() == verdict::complete, is_complete);
      if (!is_complete) break;
      NEN_SAME(plain.bytes(), taken);
      NEN_SAME(plain.content(), seen.content);
      if (how.keeps_trailers) NEN_SAME(plain.trailers(), seen.trailers);
      break;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > input_bytes_max) return 0;
  choices from(data, size);
  const plan how = read_plan(from);
  const std::string_view input = from.rest();

  plan plain = how;
  plain.piece_max = 0;
  plain.moves = false;
  const outcome whole = run(input, plain).feed_all();
  compare(run(input, how).feed_all(), whole);
  if (whole.head.head_bytes != 0) check_head(input, whole, how.answered);
  if (!whole.text.empty()) check_body(input, whole, how);
  return 0;
}
