// A simulated WebSocket client with a character: what it says and in what pieces, how it reads,
// when it leaves. It checks every byte that it hears.
#pragma once

#include <nen/testing/network.hpp>
#include <nen/testing/random.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "websocket/ws_client.hpp"

namespace nen::test {

/// What agents met that was not what their frames deserve. Each has its counter in the server.
struct ws_deviations {
  std::uint64_t unavailable = 0;  ///< 503 instead of a WebSocket
  std::uint64_t timed_out = 0;    ///< 408
  std::uint64_t overloaded = 0;   ///< closed with 1013
  std::uint64_t late = 0;         ///< closed with 1008: a message took too long
  std::uint64_t cut = 0;          ///< ended in order before everything was answered

  void operator+=(const ws_deviations& more) {
    unavailable += more.unavailable;
    timed_out += more.timed_out;
    overloaded += more.overloaded;
    late += more.late;
    cut += more.cut;
  }
};

/// What an agent says, frame by frame, and what it has to hear for that.
struct ws_plan {
  struct heard {
    int first;
    std::string payload;
  };
  std::deque<std::string> frames;
  std::vector<heard> expected;
  bool in_room = false;  ///< what is heard depends on others

  /// @param message_bytes_max  of the server
  static ws_plan make(testing::random& chance, std::size_t message_bytes_max, unsigned number);

 private:
  void add_message(testing::random& chance, std::size_t size, std::size_t message_bytes_max,
                   bool to_stream);
  void add_ping(testing::random& chance) {
    const std::string payload(chance.below(126), 'p');
    frames.push_back(frame(ping_frame, payload));
    expected.push_back({pong_frame, payload});
  }
};

/// Letters of one to four bytes, at most so many of them together.
inline std::string ws_letters(std::size_t size, std::uint64_t first) {
  constexpr std::string_view letters[] = {"a", "\xc3\xa9", "b", "\xe2\x82\xac", "\xf0\x90\x8d\x88"};
  std::string all;
  for (auto i = first; all.size() + 4 <= size; ++i) all += letters[i % std::size(letters)];
  return all + std::string(size - all.size(), '.');
}

inline std::string ws_summary(std::string_view bytes) {
  std::uint32_t sum = 0;
  for (const char c : bytes) sum = sum * 31 + static_cast<unsigned char>(c);
  return std::to_string(bytes.size()) + ":" + std::to_string(sum);
}

inline void ws_plan::add_message(testing::random& chance, std::size_t size,
                                 std::size_t message_bytes_max, bool to_stream) {
  const bool is_text = chance.chance(500);
  std::string text = is_text ? ws_letters(size, chance.next()) : std::string(size, '\0');
  for (std::size_t i = 0; !is_text && i < size; ++i) text[i] = static_cast<char>(chance.next());
  const auto parts = chance.chance(500) ? 1 : chance.between(1, 6);
  std::size_t at = 0;
  for (auto part = parts; part != 0; --part) {
    const auto take = part == 1 ? size - at : chance.below(size - at + 1);
    const int first =
        (at == 0 && part == parts ? (is_text ? text_begins : binary_begins) : goes_on) |
        (part == 1 ? ends : 0);
    frames.push_back(frame(first, std::string_view(text).substr(at, take)));
    at += take;
    if (at > message_bytes_max && !to_stream) {  // refused by its length alone
      expected.push_back({close_frame, close_of(1009)});
      return;
    }
    if (part != 1 && chance.chance(200)) add_ping(chance);
  }
  if (to_stream) return expected.push_back({text_frame, ws_summary(text)});
  expected.push_back({is_text ? text_frame : binary_frame, text});
}

inline ws_plan ws_plan::make(testing::random& chance, std::size_t message_bytes_max,
                             unsigned number) {
  constexpr std::string_view targets[] = {"/echo", "/quick", "/stream", "/room"};
  ws_plan made;
  const auto target = targets[chance.below(std::size(targets))];
  made.in_room = target == "/room";
  made.frames.push_back(
      upgrade_of(target, "X-Filler: " + ws_letters(chance.below(40), 0) + "\r\n"));
  for (auto count = chance.below(20); count != 0; --count) {
    if (chance.chance(200)) made.add_ping(chance);
    if (chance.chance(50)) made.frames.push_back(frame(pong_frame, "unasked"));
    if (made.in_room) {
      made.frames.push_back(
          frame(text_frame, std::to_string(number) + ":" + std::to_string(count)));
      continue;
    }
    const bool is_long = chance.chance(150);
    const auto size = is_long ? chance.below(message_bytes_max + 1) : chance.below(300);
    made.add_message(chance, chance.chance(20) ? message_bytes_max + 1 : size, message_bytes_max,
                     target == "/stream");
    if (!made.expected.empty() && made.expected.back().first == close_frame) return made;
  }
  if (chance.chance(700)) {
    const auto code = chance.chance(500) ? 1000 : static_cast<int>(chance.between(3000, 4999));
    made.frames.push_back(closing(code, "done"));
    made.expected.push_back({close_frame, close_of(code)});
  }
  return made;
}

class ws_agent {
 public:
  enum class leaving { stays, finishes, closes, resets };
  struct character {
    bool is_hostile = false;    ///< some bytes of what it sends are wrong
    bool waits = false;         ///< for what it expects, before it sends on
    std::size_t piece_max = 0;  ///< bytes at a time; 0: all
    std::size_t read_max = 0;   ///< bytes at a time; 0: all
    std::uint32_t rest = 0;     ///< in thousandths: how often it does nothing
    leaving leaves = leaving::stays;
    std::size_t leaves_after = 0;  ///< bytes sent, for who leaves early
  };

  ws_agent(testing::random& chance, std::shared_ptr<testing::wire> connected, const character& is,
           ws_plan plan)
      : chance_(chance), wire_(std::move(connected)), is_(is), plan_(std::move(plan)) {
    if (is_.read_max != 0) wire_->client_reads(false);
    if (plan_.in_room) is_.is_hostile = false;  // others would hear it
    if (is_.is_hostile) spoil();
  }

  static character make_character(testing::random& chance) {
    character c;
    c.is_hostile = chance.chance(150);
    c.waits = chance.chance(300);
    if (chance.chance(500)) c.piece_max = chance.chance(300) ? 1 : chance.between(1, 3000);
    if (chance.chance(300)) c.read_max = chance.chance(300) ? 1 : chance.between(1, 20'000);
    if (chance.chance(300)) c.rest = static_cast<std::uint32_t>(chance.below(990));
    if (chance.chance(400)) c.leaves = static_cast<leaving>(chance.below(4));
    c.leaves_after = chance.below(chance.chance(500) ? 1000 : 20'000);
    return c;
  }

  /// Does the next thing, unless it rests.
  void step() {
    if (gone_ || chance_.chance(is_.rest)) return;
    if (is_.read_max != 0) wire_->client_reads_some(chance_.between(1, is_.read_max));
    send_some();
    check();
  }
  /// From now on it does everything at once, and leaves when it is done.
  void hurry() {
    is_.rest = 0;
    is_.read_max = is_.piece_max = 0;
    wire_->client_reads(true);
    step();
    if (is_done() || is_.is_hostile) leave();
  }
  bool is_done() const {
    return gone_ || has_ended() ||
           (plan_.frames.empty() && heard_ == plan_.expected.size() && wire_->unsent() == 0);
  }
  /// Reads everything and leaves.
  void leave() {
    if (gone_) return;
    wire_->client_reads(true);
    check();
    account_for_end();
    wire_->client_closes();
    gone_ = true;
  }

  const ws_deviations& deviations() const { return seen_; }
  const std::string& received() const { return wire_->received(); }
  std::string describe() const {
    return "agent: heard " + std::to_string(heard_) + " of " +
           std::to_string(plan_.expected.size()) + ", to say " +
           std::to_string(plan_.frames.size()) + ", in room " + std::to_string(plan_.in_room) +
           ", pieces " + std::to_string(is_.piece_max) + ", reads " + std::to_string(is_.read_max) +
           ", rests " + std::to_string(is_.rest) + ", leaves " +
           std::to_string(static_cast<int>(is_.leaves));
  }

 private:
  bool has_ended() const { return wire_->client_saw_end() || wire_->was_reset(); }

  void account_for_end() {
    if (is_.is_hostile || wire_->was_reset() || over_ || finished_) return;
    if (wire_->client_saw_end() && heard_ != plan_.expected.size()) ++seen_.cut;
    if (!wire_->client_saw_end() && heard_ != plan_.expected.size() && plan_.frames.empty())
      throw std::runtime_error("forgotten");
  }

  void send_some() {
    if (wire_->unsent() > 100'000 || finished_) return;
    auto left = is_.piece_max == 0 ? ~std::size_t{0} : chance_.between(1, is_.piece_max);
    const bool leaves_early = is_.leaves != leaving::stays;
    while (left != 0 && !plan_.frames.empty()) {
      std::string& next = plan_.frames.front();
      if (sent_of_frame_ == 0 && is_.waits && sent_ != 0 && heard_ < expected_by_now()) break;
      auto size = std::min(left, next.size() - sent_of_frame_);
      if (leaves_early) size = std::min(size, is_.leaves_after - std::min(is_.leaves_after, sent_));
      if (size == 0 && leaves_early) break;
      wire_->client_sends(std::string_view(next).substr(sent_of_frame_, size));
      left -= size;
      sent_ += size;
      sent_of_frame_ += size;
      if (sent_of_frame_ != next.size()) continue;
      plan_.frames.pop_front();
      ++frames_sent_;
      sent_of_frame_ = 0;
    }
    if (!leaves_early || (sent_ < is_.leaves_after && !plan_.frames.empty())) return;
    check();
    switch (is_.leaves) {
      case leaving::stays:
        return;
      case leaving::finishes:
        finished_ = true;
        return wire_->client_finishes();
      case leaving::closes:
        gone_ = true;
        return wire_->client_closes();
      case leaving::resets:
        gone_ = true;
        return wire_->client_resets();
    }
  }
  /// Who waits has heard at least one thing less than it said frames.
  std::size_t expected_by_now() const {
    return std::min(plan_.expected.size(), frames_sent_ == 0 ? 0 : frames_sent_ / 2);
  }

  /// Looks at what was read so far.
  void check() {
    if (is_.is_hostile || gone_) return;
    std::string_view rest = std::string_view(wire_->received()).substr(read_);
    if (!is_open_ && !over_) read_answer(rest);
    int first = 0;
    std::string_view payload;
    while (is_open_ && take_frame(rest, first, payload)) {
      read_ = wire_->received().size() - rest.size();
      if (over_) throw std::runtime_error("a frame behind a close");
      hear(first, payload);
    }
  }

  void read_answer(std::string_view& rest) {
    const auto end = rest.find("\r\n\r\n");
    if (end == rest.npos) return;
    const answer got = parse_answer_head(rest.substr(0, end + 2));
    rest.remove_prefix(end + 4);
    read_ += end + 4;
    is_open_ = got.status == 101;
    if (is_open_) return;
    seen_.unavailable += got.status == 503;
    seen_.timed_out += got.status == 408;
    if (got.status != 503 && got.status != 408)
      throw std::runtime_error("answered " + std::to_string(got.status));
    give_up();
  }

  void hear(int first, std::string_view payload) {
    if (first == ping_frame) {  // is answered between two frames
      const auto at = plan_.frames.begin() + (sent_of_frame_ != 0);
      if (!finished_) plan_.frames.insert(at, frame(pong_frame, payload));
      return;
    }
    if (heard_ < plan_.expected.size() && first == plan_.expected[heard_].first &&
        payload == plan_.expected[heard_].payload) {
      ++heard_;
      if (first == close_frame) give_up();
      return;
    }
    if (first == text_frame && plan_.in_room) return hear_room(payload);
    if (first != close_frame) {
      throw std::runtime_error("heard " + std::to_string(first) + " " +
                               std::string(payload.substr(0, 60)));
    }
    if (payload == close_of(1013)) {
      ++seen_.overloaded;
    } else if (payload == close_of(1008, "the message took too long")) {
      ++seen_.late;
    } else if (payload != close_of(1001)) {
      throw std::runtime_error("closed: " + heard_in(frame(close_frame, payload, false)));
    }
    const auto answer = frame(close_frame, payload);
    const bool can_answer = sent_of_frame_ == 0 && !finished_;
    give_up();
    if (can_answer) wire_->client_sends(answer);
  }

  /// Everybody's numbers count down; some of them may be missed.
  void hear_room(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == text.npos) throw std::runtime_error("heard in the room: " + std::string(text));
    const auto who = std::stoul(std::string(text.substr(0, colon)));
    const auto number = std::stoul(std::string(text.substr(colon + 1)));
    const auto before = last_of_.find(who);
    if (before != last_of_.end() && number >= before->second)
      throw std::runtime_error("heard twice, or out of order: " + std::string(text));
    last_of_[who] = number;
  }

  /// Nothing more is said.
  void give_up() {
    over_ = true;
    plan_.frames.clear();
    heard_ = plan_.expected.size();
  }

  /// Changes, drops or inserts some bytes.
  void spoil() {
    for (auto& f : plan_.frames) {
      if (chance_.chance(600)) continue;
      const auto at = chance_.below(f.size());
      switch (chance_.below(3)) {
        case 0:
          f[at] = static_cast<char>(chance_.next());
          break;
        case 1:
          f.erase(at, 1);
          break;
        default:
          f.insert(at, 1, static_cast<char>(chance_.next()));
          break;
      }
    }
  }

  testing::random& chance_;
  std::shared_ptr<testing::wire> wire_;
  character is_;
  ws_plan plan_;
  ws_deviations seen_;
  std::map<unsigned long, unsigned long> last_of_;  // numbers heard in the room
  std::size_t sent_ = 0;
  std::size_t sent_of_frame_ = 0;
  std::size_t frames_sent_ = 0;
  std::size_t read_ = 0;
  std::size_t heard_ = 0;  // of what was expected
  bool is_open_ = false;   // 101 was read
  bool over_ = false;      // the last frame was heard, or there is no WebSocket to be had
  bool finished_ = false;
  bool gone_ = false;
};

}  // namespace nen::test
