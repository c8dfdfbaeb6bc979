// A simulated client with a character: what it asks, how it sends, how it reads, when it leaves.
// It checks every byte that it gets.
#pragma once

#include <nen/testing/network.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "sim/answer_reader.hpp"
#include "sim/app.hpp"

namespace nen::test::sim {

/// What agents saw that was not the answer their requests deserve. Each has to be accounted for by
/// a counter of the server's.
struct deviations {
  std::uint64_t unavailable = 0;  ///< 503
  std::uint64_t timed_out = 0;    ///< 408
  std::uint64_t cut = 0;          ///< closed in order before everything was answered
};

class agent {
 public:
  enum class leaving { stays, finishes, closes, resets };
  struct character {
    bool pipelines = false;     ///< sends on before it has its answers
    bool is_hostile = false;    ///< some bytes of what it sends are wrong
    std::size_t piece_max = 0;  ///< bytes at a time; 0: all
    std::size_t read_max = 0;   ///< bytes at a time; 0: all
    std::uint32_t rest = 0;     ///< in thousandths: how often it does nothing
    leaving leaves = leaving::finishes;
    std::size_t leaves_after = 0;  ///< bytes sent, for who closes or resets
  };

  agent(testing::random& chance, std::shared_ptr<testing::wire> connected, const character& is,
        std::vector<exchange> asks)
      : chance_(chance), wire_(std::move(connected)), is_(is), exchanges_(std::move(asks)) {
    if (is_.read_max != 0) wire_->client_reads(false);
    if (is_.is_hostile) spoil();
  }

  static character make_character(testing::random& chance) {
    character c;
    c.pipelines = chance.chance(500);
    c.is_hostile = chance.chance(100);
    if (chance.chance(500)) c.piece_max = chance.chance(300) ? 1 : chance.between(1, 3000);
    if (chance.chance(300)) c.read_max = chance.chance(300) ? 1 : chance.between(1, 20'000);
    if (chance.chance(300)) c.rest = static_cast<std::uint32_t>(chance.below(990));
    c.leaves = static_cast<leaving>(chance.below(4));
    c.leaves_after = chance.below(chance.chance(500) ? 500 : 50'000);
    return c;
  }

  /// Does the next thing, unless it rests.
  void step() {
    if (gone_ || chance_.chance(is_.rest)) return;
    if (is_.read_max != 0) wire_->client_reads_some(chance_.between(1, is_.read_max));
    send_some();
    check();
  }

  /// It has nothing more to do: it has left, or the server closed, or it got what it wants.
  bool is_done() const {
    return gone_ || wire_->client_saw_end() || wire_->was_reset() ||
           (is_.leaves == leaving::stays && answered_ == exchanges_.size());
  }

  void read_all() {
    wire_->client_reads(true);
    check();
  }

  /// Reads everything and leaves.
  void leave() {
    read_all();
    if (!gone_) wire_->client_closes();
    gone_ = true;
  }

  /// Looks at what was read so far.
  void check() {
    if (is_.is_hostile || gone_) return;
    while (true) {
      const std::string_view rest = std::string_view(wire_->received()).substr(read_);
      if (rest.empty()) return;
      if (nothing_follows_)
        throw std::runtime_error("bytes behind the last answer: " +
                                 std::string(rest.substr(0, 400)));
      if (answered_ == exchanges_.size()) {
        // Who says nothing more may still be told that his time is up, or that there is no room.
        const auto result = read_answer(rest, false);
        if (!result.complete) return;
        throw std::runtime_error("an answer to nothing: " + std::string(rest.substr(0, 200)));
      }
      const exchange& asked = exchanges_[answered_];
      auto result = read_answer(rest, asked.is_head);
      if (!result.complete) return;
      const bool asked_for = result.got.status != 503 && result.got.status != 408;
      if (asked.is_head && !asked_for && result.got.says_close()) {
        // Told without its request being read: nobody knew that it is a HEAD.
        result = read_answer(rest, false);
        if (!result.complete) return;
      }
      read_ += result.bytes;
      if (result.got.status == 100) continue;
      judge(asked, result.got);
      ++answered_;
    }
  }

  /// At the end of all. @pre  is_done(), or nothing more will happen
  void account(deviations& sum) {
    read_all();
    sum.unavailable += unavailable_;
    sum.timed_out += timed_out_;
    if (is_.is_hostile || wire_->was_reset() || gone_) return;
    if (answered_ == exchanges_.size() || nothing_follows_) return;
    if (!wire_->client_saw_end() && all_sent()) throw std::runtime_error("forgotten " + describe());
    if (!finished_ || !exchanges_[answered_].waits) ++sum.cut;
  }

  std::uint64_t digest() const { return sum_of(wire_->received()); }

  std::string describe() const {
    return "agent: answered " + std::to_string(answered_) + " of " +
           std::to_string(exchanges_.size()) + ", sent " + std::to_string(sent_) + ", pipelines " +
           std::to_string(is_.pipelines) + ", pieces " + std::to_string(is_.piece_max) +
           ", reads " + std::to_string(is_.read_max) + ", rests " + std::to_string(is_.rest) +
           ", leaves " + std::to_string(static_cast<int>(is_.leaves)) + "; next: " +
           (answered_ < exchanges_.size() ? exchanges_[answered_].bytes.substr(0, 120) : "none");
  }

 private:
  bool all_sent() const {
    std::size_t total = 0;
    for (const exchange& e : exchanges_) total += e.bytes.size();
    return sent_ == total;
  }

  void judge(const exchange& asked, const answer& got) {
    if (got.says_close()) nothing_follows_ = true;
    if (got.status == asked.status &&
        (asked.is_head || got.status != 200 || got.body == asked.body)) {
      if (asked.closes) nothing_follows_ = true;
      return;
    }
    if (got.status == 503) return void(++unavailable_);
    if (got.status == 408 && nothing_follows_) return void(++timed_out_);
    throw std::runtime_error("wanted " + std::to_string(asked.status) + " " +
                             asked.body.substr(0, 60) + ", got " + std::to_string(got.status) +
                             " " + got.body.substr(0, 60) + " for " + asked.bytes.substr(0, 100));
  }

  void send_some() {
    std::size_t total = 0;
    std::size_t allowed = 0;
    for (std::size_t i = 0; i < exchanges_.size(); ++i) {
      total += exchanges_[i].bytes.size();
      if (is_.pipelines || i <= answered_) allowed = total;
    }
    if (wire_->unsent() > 100'000) return;
    auto left = allowed - std::min(allowed, sent_);
    if (is_.piece_max != 0)
      left = std::min(left, static_cast<std::size_t>(chance_.between(1, is_.piece_max)));
    const bool leaves_early = is_.leaves == leaving::closes || is_.leaves == leaving::resets;
    if (leaves_early) left = std::min(left, is_.leaves_after - std::min(is_.leaves_after, sent_));
    std::size_t begin = 0;
    for (const exchange& e : exchanges_) {
      const auto skip = sent_ - std::min(sent_, begin);
      if (left != 0 && skip < e.bytes.size()) {
        const auto part = std::string_view(e.bytes).substr(skip, left);
        wire_->client_sends(part);
        sent_ += part.size();
        left -= part.size();
      }
      begin += e.bytes.size();
    }
    if (leaves_early && (sent_ >= is_.leaves_after || sent_ == total)) {
      check();
      is_.leaves == leaving::closes ? wire_->client_closes() : wire_->client_resets();
      gone_ = true;
    } else if (sent_ == total && is_.leaves == leaving::finishes && !finished_) {
      wire_->client_finishes();
      finished_ = true;
    }
  }

  /// Changes, drops or inserts some bytes.
  void spoil() {
    for (auto& e : exchanges_) {
      for (auto times = chance_.below(4); times != 0 && !e.bytes.empty(); --times) {
        const auto at = chance_.below(e.bytes.size());
        switch (chance_.below(3)) {
          case 0:
            e.bytes[at] = static_cast<char>(chance_.below(256));
            break;
          case 1:
            e.bytes.erase(at, 1);
            break;
          default:
            e.bytes.insert(at, 1, static_cast<char>(chance_.below(256)));
            break;
        }
      }
    }
  }

  testing::random& chance_;
  std::shared_ptr<testing::wire> wire_;
  character is_;
  std::vector<exchange> exchanges_;
  std::size_t sent_ = 0;
  std::size_t read_ = 0;
  std::size_t answered_ = 0;
  std::uint64_t unavailable_ = 0;
  std::uint64_t timed_out_ = 0;
  bool nothing_follows_ = false;
  bool finished_ = false;
  bool gone_ = false;
};

}  // namespace nen::test::sim
