// Runs the response parser over a message in every way its bytes can be cut, for its tests.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <nen/http/response_parser.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/parser_driver.hpp"

namespace nen::test {

inline constexpr response_limits usual_response_limits{1024, 16, 256};

using answer_parser = response_parser_with<16>;

/// Everything that can be seen of a response's end, as text that compares and prints well.
struct reading {
  response_step step = response_step::need_more;
  response_fault fault = response_fault::none;
  std::string text;     ///< of the head and the trailers; empty before the head is complete
  std::string content;  ///< all parts of the body
  std::size_t consumed = 0;
  bool keep_alive = false;

  bool operator==(const reading& other) const {
    return step == other.step && fault == other.fault && text == other.text &&
           content == other.content && consumed == other.consumed && keep_alive == other.keep_alive;
  }
  std::string shown() const {
    return "step " + std::to_string(static_cast<int>(step)) + ", fault '" +
           std::string(to_string(fault)) + "', " + text + ", content '" + content + "', consumed " +
           std::to_string(consumed) + (keep_alive ? ", keep-alive" : ", close");
  }
};

inline std::string describe(const received_response& r) {
  std::string text = std::to_string(r.code()) + " '" + std::string(r.reason()) + "' 1." +
                     std::to_string(r.version_minor());
  for (const field f : r.fields()) {
    text += " {" + std::string(f.name) + "=" + std::string(f.value) + "}";
  }
  for (const field f : r.trailers()) {
    text += " trailer {" + std::string(f.name) + "=" + std::string(f.value) + "}";
  }
  return text + (r.is_interim() ? " interim" : "") + (r.head().upgrade ? " upgrade" : "");
}

/// How a response's bytes reach the parser.
struct answering_to {
  nen::method method = nen::method::get;
  response_limits limits = usual_response_limits;
  std::vector<std::size_t> cuts = {};  ///< where a read ends; the input's end is one by itself
  bool moves = false;                  ///< after each read all bytes move to a new buffer
  bool trailers = true;                ///< they have a place to go to
  bool ends = false;                   ///< the connection ends behind the input
};

inline reading receive(std::string_view input, const answering_to& how = {}) {
  answer_parser parsers[2];
  std::memset(static_cast<void*>(parsers), 0xa5, sizeof parsers);  // start() has to set everything
  answer_parser* now = &parsers[0];
  std::vector<std::size_t> ends = how.cuts;
  ends.push_back(input.size());

  reading seen;
  std::unique_ptr<exact_bytes> trailers;  // as long as what the head leaves of head_bytes_max
  auto buffer = std::make_unique<exact_bytes>(input.substr(0, how.moves ? ends[0] : input.size()));
  now->start(how.method, buffer->begin(), how.limits);
  response_result result{};
  for (const std::size_t end : ends) {
    if (how.moves && end != ends[0]) {
      auto longer = std::make_unique<exact_bytes>(input.substr(0, end));
      answer_parser* const other = now == &parsers[0] ? &parsers[1] : &parsers[0];
      now->move_to(*other, longer->begin());
      now = other;
      buffer = std::move(longer);
    }
    do {
      result = now->feed(buffer->begin() + seen.consumed, buffer->begin() + end);
      seen.consumed += result.consumed;
      seen.content += result.content;
      if (result.step == response_step::head_complete && how.trailers) {
        trailers = std::make_unique<exact_bytes>(
            std::string(how.limits.head_bytes_max - now->head().head_bytes, '#'));
        now->trailers_into(trailers->begin());
      }
    } while (result.step == response_step::head_complete ||
             result.step == response_step::body_part);
    if (result.step != response_step::need_more) break;
  }
  if (how.ends && result.step == response_step::need_more) result = now->end_of_input();
  seen.step = result.step;
  seen.fault = result.fault;
  if (seen.step == response_step::rejected) seen.consumed = 0;  // it hangs on where the cuts were
  if (now->has_head()) seen.text = describe(now->message());
  seen.keep_alive = now->keep_alive();
  if (seen.content.size() != now->content_bytes()) seen.text += " (content_bytes differs)";
  return seen;
}

/// The fault of a response behind which the connection ends; `none` for a whole one.
inline response_fault fault_of(std::string_view input, answering_to how = {}) {
  how.ends = true;
  return receive(input, how).fault;
}

/// Cuts a response at every place, and into single bytes, with and without moving, and with the
/// connection's end behind it or not.
/// @returns what the first different outcome was, or "" when all are equal to the one in one piece
inline std::string cut_difference(std::string_view input, answering_to how) {
  std::vector<std::size_t> everywhere;
  for (std::size_t i = 1; i < input.size(); ++i) everywhere.push_back(i);
  for (const bool ends : {false, true}) {
    how.ends = ends;
    how.moves = false;
    how.cuts = {};
    const reading wanted = receive(input, how);
    for (const bool moves : {false, true}) {
      how.moves = moves;
      how.cuts = everywhere;
      const reading bytewise = receive(input, how);
      if (!(bytewise == wanted)) {
        return "byte by byte: " + bytewise.shown() + " / whole: " + wanted.shown();
      }
      for (std::size_t cut = 0; cut <= input.size(); ++cut) {
        how.cuts = {cut};
        const reading outcome = receive(input, how);
        if (!(outcome == wanted)) {
          return "cut at " + std::to_string(cut) + ": " + outcome.shown() +
                 " / whole: " + wanted.shown();
        }
      }
    }
  }
  return {};
}

}  // namespace nen::test
