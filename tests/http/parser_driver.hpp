// Runs the request parser over a message in every way its bytes can be cut, for the parser's tests.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <nen/http/parser.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace nen::test {

inline constexpr parse_limits usual_limits{1024, 16, 128, 256};

using parser = request_parser_with<16>;

/// Bytes on the heap with exactly their size, so that AddressSanitizer sees a read past the end.
class exact_bytes {
 public:
  explicit exact_bytes(std::string_view text) : size_(text.size()), data_(new char[text.size()]) {
    std::copy(text.begin(), text.end(), data_.get());
  }
  char* begin() { return data_.get(); }
  char* end() { return data_.get() + size_; }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> data_;
};

/// Everything that can be seen of an outcome, as text that compares and prints well.
inline std::string describe(const request_parser& p, parse_result result, std::size_t consumed) {
  if (result.status == parse_status::rejected) {
    return "rejected " + std::to_string(static_cast<int>(result.answer));
  }
  if (result.status == parse_status::need_more) return "need_more";
  const request r = p.message();
  const request_head& h = r.head();
  std::string text = std::string(to_string(r.method())) + " target=" + std::string(r.target()) +
                     " path=" + std::string(r.path()) + " query=" + std::string(r.query()) + " 1." +
                     std::to_string(r.version_minor()) + " host=" + std::string(r.host());
  for (const field f : r.fields()) {
    text += " {" + std::string(f.name) + "=" + std::string(f.value) + "}";
  }
  text += r.keep_alive() ? " keep-alive" : " close";
  if (h.chunked) text += " chunked";
  if (h.has_content_length) text += " length=" + std::to_string(h.content_length);
  if (h.expects_continue) text += " expects_continue";
  if (h.upgrade) text += " upgrade";
  for (const field f : r.trailers()) {
    text += " trailer {" + std::string(f.name) + "=" + std::string(f.value) + "}";
  }
  return text + " body=" + std::string(r.body()) + " head_bytes=" + std::to_string(h.head_bytes) +
         " consumed=" + std::to_string(consumed);
}

/// Where something that follows the head is gathered.
enum class place { in_input, elsewhere, elsewhere_late };

/// How a message's bytes reach the parser.
struct feeding {
  std::vector<std::size_t> cuts;  ///< where a read ends; the end of the input is one by itself
  bool moves = false;             ///< after each read all bytes move to a new buffer, with move_to
  /// Elsewhere: body_into, or trailers_into, right after head_complete; late: after each read from
  /// the first piece of the body on.
  place body = place::in_input;
  place trailers = place::in_input;
};

/// Feeds one message and describes the outcome.
inline std::string run(std::string_view input, const feeding& how,
                       const parse_limits& limits = usual_limits) {
  parser parsers[2];
  std::memset(static_cast<void*>(parsers), 0xa5, sizeof parsers);  // start() has to set everything
  parser* now = &parsers[0];
  std::vector<std::size_t> ends = how.cuts;
  ends.push_back(input.size());

  std::vector<char> body(static_cast<std::size_t>(limits.body_bytes_max));
  std::unique_ptr<exact_bytes> trailers;  // as long as what the head leaves of head_bytes_max
  auto buffer = std::make_unique<exact_bytes>(how.moves ? input.substr(0, ends[0]) : input);
  now->start(buffer->begin(), limits);
  std::size_t consumed = 0;
  parse_result result{};
  for (const std::size_t end : ends) {
    if (how.moves && end != ends[0]) {
      // What came earlier goes along as it is now: an in-place body has been moved together there.
      auto longer = std::make_unique<exact_bytes>(input.substr(0, end));
      std::copy(buffer->begin(), buffer->begin() + consumed, longer->begin());
      parser* const other = now == &parsers[0] ? &parsers[1] : &parsers[0];
      now->move_to(*other, longer->begin());
      now = other;
      buffer = std::move(longer);
    }
    const bool was_in_body = now->in_body();
    const auto move_trailers = [&] {
      auto to = std::make_unique<exact_bytes>(
          std::string(limits.head_bytes_max - now->head().head_bytes, '#'));
      now->trailers_into(to->begin());
      trailers = std::move(to);
    };
    result = now->feed(buffer->begin() + consumed, buffer->begin() + end);
    consumed += result.consumed;
    if (result.status == parse_status::head_complete) {
      if (how.body == place::elsewhere) now->body_into(body.data(), body.size());
      if (how.trailers == place::elsewhere) move_trailers();
      result = now->feed(buffer->begin() + consumed, buffer->begin() + end);
      consumed += result.consumed;
    }
    const bool is_late = was_in_body && now->in_body();
    if (is_late && how.body == place::elsewhere_late) now->body_into(body.data(), body.size());
    if (is_late && how.trailers == place::elsewhere_late) move_trailers();
    if (result.status != parse_status::need_more) break;
  }
  return describe(*now, result, consumed);
}

/// The outcome of a message in one piece.
inline std::string run_whole(std::string_view input, const parse_limits& limits = usual_limits) {
  return run(input, {}, limits);
}

/// The status that a message is refused with; 200 for a complete one, 0 when it goes on.
inline int answer_of(std::string_view input, const parse_limits& limits = usual_limits) {
  const std::string outcome = run_whole(input, limits);
  if (outcome == "need_more") return 0;
  return outcome.compare(0, 9, "rejected ") == 0 ? std::stoi(outcome.substr(9)) : 200;
}

/// Cuts a message at every place, and into single bytes, in each way of feeding.
/// @returns what the first different outcome was, or "" when all are equal to `run_whole`
inline std::string first_difference(std::string_view input,
                                    const parse_limits& limits = usual_limits) {
  const std::string wanted = run_whole(input, limits);
  std::vector<std::size_t> everywhere;
  for (std::size_t i = 1; i < input.size(); ++i) everywhere.push_back(i);
  for (int mode = 0; mode < 18; ++mode) {
    feeding how;
    how.moves = mode % 2 == 1;
    how.body = static_cast<place>(mode / 2 % 3);
    how.trailers = static_cast<place>(mode / 6);
    how.cuts = everywhere;
    const std::string bytewise = run(input, how, limits);
    if (bytewise != wanted) {
      return "byte by byte, mode " + std::to_string(mode) + ": " + bytewise + " / whole: " + wanted;
    }
    for (std::size_t cut = 0; cut <= input.size(); ++cut) {
      how.cuts = {cut};
      const std::string outcome = run(input, how, limits);
      if (outcome != wanted) {
        return "cut at " + std::to_string(cut) + ", mode " + std::to_string(mode) + ": " + outcome +
               " / whole: " + wanted;
      }
    }
  }
  return {};
}

}  // namespace nen::test
