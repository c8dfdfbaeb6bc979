// The request parser: however a message is cut, moved and gathered, and whatever the limits are,
// the outcome is that of the message in one piece; and what it accepts is what a plain reading of
// RFC 9112 accepts. The input is a message with eight bytes of choices behind it.
#include <nen/http/parser.hpp>
#include <string>
#include <string_view>

#include "fuzz/fuzz.hpp"
#include "fuzz/reference_request.hpp"

using namespace nen;
using namespace nen::test::fuzz;

namespace {

constexpr std::uint16_t fields_table = 32;
constexpr std::size_t body_bytes_max = 4096;
using parser = request_parser_with<fields_table>;

enum class body_place { in_place, elsewhere, elsewhere_late, streamed };

struct plan {
  parse_limits limits;
  std::size_t piece_max;  ///< 0: all in one piece
  std::uint32_t seed;     ///< of the pieces' sizes and of when the bytes move
  bool moves;
  body_place body;
};

plan read_plan(choices& from) {
  plan p{};
  const std::uint8_t flags = from.byte();
  p.moves = (flags & 1) != 0;
  p.body = static_cast<body_place>(flags >> 1 & 3);
  p.piece_max = from.byte();
  p.seed = from.byte();
  p.seed = p.seed << 8 | from.byte();
  const std::uint8_t head = from.byte();
  const std::uint8_t fields = from.byte();
  const std::uint8_t target = from.byte();
  const std::uint8_t body = from.byte();
  p.limits.head_bytes_max = head == 0 ? 4096 : head * 2U;
  p.limits.fields_max = fields == 0 ? fields_table : fields % 8;
  p.limits.target_bytes_max = target == 0 ? 2048 : target;
  p.limits.body_bytes_max = body == 0 ? body_bytes_max : body - 1U;
  return p;
}

/// Everything that can be seen of an outcome.
struct outcome {
  parse_status status = parse_status::need_more;
  nen::status answer{};
  std::size_t consumed = 0;
  bool has_head = false;
  std::string head;
  std::string body;
  std::string trailers;
};

std::string describe(const request& r) {
  const request_head& h = r.head();
  std::string text;
  for (const std::string_view part :
       {to_string(r.method()), r.target(), r.path(), r.query(), r.host()}) {
    text.append(part) += '\n';
  }
  for (const field f : r.fields()) text.append(f.name).append("=").append(f.value) += '\n';
  for (const std::uint64_t number :
       {std::uint64_t(r.version_minor()), std::uint64_t(r.keep_alive()), std::uint64_t(h.chunked),
        std::uint64_t(h.has_content_length), h.content_length, std::uint64_t(h.expects_continue),
        std::uint64_t(h.upgrade), std::uint64_t(h.head_bytes)}) {
    text += std::to_string(number) + ' ';
  }
  return text;
}

guarded_bytes areas[2]{guarded_bytes(input_bytes_max), guarded_bytes(input_bytes_max)};
guarded_bytes body_area(body_bytes_max);

/// One message on its way through one or, where it moves, two parsers.
class run {
 public:
  run(std::string_view input, const plan& how) : input_(input), how_(how) {
    // start() has to set everything.
    std::memset(static_cast<void*>(parsers_), 0xa5, sizeof parsers_);
    base_ = areas[0].place(input);
    now_->start(base_, how.limits);
  }

  outcome feed_all() {
    dice random(how_.seed);
    std::size_t end = 0;
    do {
      const std::size_t left = input_.size() - end;
      const std::size_t size = how_.piece_max == 0 ? left : 1 + random.below(how_.piece_max);
      end += size < left ? size : left;
      if (how_.moves && random.below(2) == 0) move(end);
      feed_piece(end);
    } while (result_.status == parse_status::need_more && end != input_.size());
    return see();
  }

 private:
  /// Moves the message and what is to be fed next so that they end at the guard page.
  void move(std::size_t end) {
    const std::string before(base_, consumed_);  // an in-place body has been moved together there
    which_ = 1 - which_;
    base_ = areas[which_].place(input_.substr(0, end));
    before.copy(base_, before.size());
    parser& other = now_ == &parsers_[0] ? parsers_[1] : parsers_[0];
    now_->move_to(other, base_);
    now_ = &other;
    std::memset(static_cast<void*>(now_ == &parsers_[0] ? &parsers_[1] : &parsers_[0]), 0x5a,
                sizeof(parser));
    placed_ = end;
  }

  void feed_piece(std::size_t end) {
    if (end > placed_ && how_.moves && placed_ != 0) move(end);
    const bool was_in_body = now_->in_body();
    areas[which_].hide_from(base_ + end);
    feed(end);
    if (result_.status == parse_status::head_complete) {
      out_.has_head = true;
      if (how_.body == body_place::elsewhere) gather_elsewhere();
      if (how_.body == body_place::streamed) now_->stream_body();
      feed(end);
      NEN_PROPERTY(result_.status != parse_status::head_complete);
    }
    if (how_.body == body_place::elsewhere_late && was_in_body && now_->in_body() && !gathered_) {
      gather_elsewhere();
    }
    if (how_.body == body_place::streamed && out_.has_head) take_part();
    areas[which_].show_from(base_ + end);
  }

  void feed(std::size_t end) {
    result_ = now_->feed(base_ + consumed_, base_ + end);
    NEN_PROPERTY(result_.consumed <= end - consumed_);
    if (result_.status == parse_status::need_more) NEN_SAME(result_.consumed, end - consumed_);
    if (result_.status == parse_status::rejected) NEN_SAME(result_.consumed, 0U);
    consumed_ += result_.consumed;
  }

  void gather_elsewhere() {
    now_->body_into(body_area.room(body_bytes_max), body_bytes_max);
    gathered_ = true;
  }

  void take_part() {
    if (result_.status == parse_status::rejected) return;
    out_.body += now_->message().body();
    if (now_->in_body()) now_->drop_body();
    streamed_ = true;
  }

  outcome see() {
    out_.status = result_.status;
    out_.answer = result_.status == parse_status::rejected ? result_.answer : nen::status{};
    out_.consumed = consumed_;
    out_.has_head |= result_.status == parse_status::message_complete;
    if (result_.status == parse_status::rejected) {
      // Once refused, a message stays refused.
      const parse_result again = now_->feed(base_, base_);
      NEN_SAME(again.status, parse_status::rejected);
      NEN_SAME(again.answer, result_.answer);
      out_.body.clear();
      return out_;
    }
    NEN_SAME(out_.has_head, now_->in_body() || result_.status == parse_status::message_complete);
    if (!out_.has_head) return out_;
    const request r = now_->message();
    out_.head = describe(r);
    if (!streamed_) out_.body = r.body();
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
  std::size_t placed_ = 0;  ///< how much of the input was there when it moved last; 0: all of it
  std::size_t consumed_ = 0;
  parse_result result_{};
  outcome out_;
  bool gathered_ = false;
  bool streamed_ = false;
};

void compare(const outcome& pieces, const outcome& whole) {
  NEN_SAME(pieces.status, whole.status);
  NEN_SAME(pieces.answer, whole.answer);
  NEN_SAME(pieces.has_head, whole.has_head);
  NEN_SAME(pieces.head, whole.head);
  NEN_SAME(pieces.body, whole.body);
  NEN_SAME(pieces.trailers, whole.trailers);
  // A refused message has no end; how much of it was taken before depends on the pieces.
  if (whole.status != parse_status::rejected) NEN_SAME(pieces.consumed, whole.consumed);
}

/// Holds a head against a plain reading of it.
void compare(const outcome& seen, const reference_head& head) {
  using verdict = reference_head::verdict;
  if (seen.has_head) NEN_SAME(head.is, verdict::accepted);
  if (head.is == verdict::accepted && !head.llhttp_may_refuse) NEN_PROPERTY(seen.has_head);
  if (seen.status == parse_status::need_more && !seen.has_head && !head.llhttp_may_wait) {
    NEN_SAME(head.is, verdict::incomplete);
  }
  if (!seen.has_head || seen.status == parse_status::rejected) return;
  std::string text;
  for (const auto& part : {head.method, head.target, head.path, head.query, head.host}) {
    text += part + '\n';
  }
  for (const auto& [name, value] : head.fields) text += name + '=' + value + '\n';
  text += std::to_string(head.minor) + ' ' + std::to_string(int{head.keep_alive}) + ' ' +
          std::to_string(int{head.chunked}) + ' ';
  NEN_SAME(seen.head.substr(0, text.size()), text);
  NEN_PROPERTY(seen.head.ends_with(' ' + std::to_string(head.bytes) + ' '));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > input_bytes_max) return 0;
  choices from(data, size);
  plan how = read_plan(from);
  // A streamed body has any length.
  if (how.body == body_place::streamed) how.limits.body_bytes_max = ~std::uint64_t{0};
  const std::string_view input = from.rest();

  plan plain{};
  plain.limits = how.limits;
  const outcome whole = run(input, plain).feed_all();
  // Gathered, a body of 2^64 bytes is one too many; streamed, none is.
  const bool has_limit =
      how.body == body_place::streamed && whole.answer == nen::status::content_too_large;
  if (!has_limit) compare(run(input, how).feed_all(), whole);
  compare(whole, read_head(input, how.limits));
  return 0;
}
