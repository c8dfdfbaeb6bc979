// A ring that writes down what is asked of another ring and what comes of it, connection by
// connection, in words that are equal for the kernel's ring and for the simulated one wherever an
// order is defined: bytes that follow each other are added up.
#pragma once

#include <nen/io/completion.hpp>
#include <nen/io/ring.hpp>

#include <pthread.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nen::test {

/// What traced rings write into; the one that was made last. Written on the shard's thread, read by
/// the test.
class trace {
 public:
  using lines = std::vector<std::string>;

  trace() { current_ = this; }
  ~trace() { current_ = nullptr; }
  trace(const trace&) = delete;
  trace& operator=(const trace&) = delete;
  static trace& current() { return *current_; }

  /// What happened to each connection, in the order in which they were accepted.
  std::vector<lines> connections() {
    const std::lock_guard lock(mutex_);
    return connections_;
  }
  /// Rises with all that is written down.
  std::uint64_t version() {
    const std::lock_guard lock(mutex_);
    return version_;
  }
  /// True while something is under way that no client has to do anything for: the kernel has a
  /// worker of its own shut a socket down.
  bool is_busy() {
    const std::lock_guard lock(mutex_);
    return shutdowns_ != 0;
  }

  void submitted(std::uint32_t place, std::string what) {
    const std::lock_guard lock(mutex_);
    ++version_;
    if (what == "shutdown") ++shutdowns_;
    if (lines* const l = lines_of(place)) l->push_back("> " + std::move(what));
  }
  void sends(std::uint32_t place, std::size_t bytes) {
    {
      const std::lock_guard lock(mutex_);
      if (place >= sending_.size()) sending_.resize(place + 1);
      sending_[place] = bytes;
    }
    submitted(place, "send");
  }

  void completed(const completion& done) {
    const std::lock_guard lock(mutex_);
    ++version_;
    const std::uint32_t place = done.token.slot();
    if (done.token.operation() == operation::accept && done.result >= 0) {
      if (place >= numbers_.size()) numbers_.resize(place + 1);
      numbers_[place] = connections_.size() + 1;
      connections_.push_back({"< accept"});
      return;
    }
    lines* const l = lines_of(place);
    if (l == nullptr) return;
    switch (done.token.operation()) {
      case operation::receive:
        return add_received(*l, done);
      case operation::send:
        return add_sent(*l, done.result, sending_[place]);
      case operation::end:
        return l->push_back("< end " + result_text(done.result));
      case operation::disconnect:
        return l->push_back("< disconnect " + result_text(done.result));
      case operation::shutdown:
        --shutdowns_;
        return l->push_back("< shutdown " + result_text(done.result));
      case operation::cancel:
        return l->push_back("< cancel " + result_text(done.result));
      case operation::close:
        l->push_back("< close " + result_text(done.result));
        numbers_[place] = 0;
        return;
      case operation::accept:
      case operation::wake:
      case operation::connect:
      case operation::poll:
      case operation::write:
      case operation::none:
        return;
    }
  }

  // How a test waits for a ring on another thread: it has an operation of its own go all the way
  // round. What was under way before that is written down by then.

  /// -1: the ring is on this thread, and needs no waiting for. Otherwise an eventfd.
  int probe = -1;
  static constexpr std::uint32_t probe_slot = 0xffff'ffff;

  bool wants_probe() noexcept { return probe >= 0 && !std::exchange(probing_, true); }
  void probed() {
    const std::lock_guard lock(mutex_);
    probing_ = false;
    ++probes_;
    changed_.notify_all();
  }
  void shut() {
    const std::lock_guard lock(mutex_);
    is_shut_ = true;
    changed_.notify_all();
  }
  /// @returns  false when the ring is shut, or does not move for ten seconds
  bool once_round() {
    std::unique_lock lock(mutex_);
    const auto before = probes_;
    const std::uint64_t one = 1;
    if (::write(probe, &one, sizeof one) != sizeof one) return false;
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] {
      return is_shut_ || probes_ != before;
    }) && !is_shut_;
  }

 private:
  static inline trace* current_ = nullptr;

  lines* lines_of(std::uint32_t place) {
    if (place >= numbers_.size() || numbers_[place] == 0) return nullptr;
    return &connections_[numbers_[place] - 1];
  }
  static std::string result_text(std::int32_t result) {
    const char* const problem = result < 0 ? ::strerrorname_np(-result) : nullptr;
    return problem != nullptr ? problem : std::to_string(result);
  }
  /// Much: about what buffers hold, of which nobody promised a size.
  static std::string size_text(std::size_t bytes) {
    return bytes < 100'000 ? std::to_string(bytes) : "much";
  }

  static void add_received(lines& l, const completion& done) {
    std::string text = "< receive ";
    if (done.result > 0 && l.back().starts_with(text) && l.back().ends_with(" more")) {
      const auto before = std::stoul(l.back().substr(text.size()));
      l.pop_back();
      text += std::to_string(before + static_cast<std::size_t>(done.result));
    } else {
      text += result_text(done.result);
    }
    if (done.lease != completion::no_lease) text += " lease";
    if (done.more) text += " more";
    l.push_back(text);
  }

  /// A send that was submitted and done with nothing in between is one line, and so are several.
  static void add_sent(lines& l, std::int32_t result, std::size_t of) {
    if (result <= 0) return l.push_back("< send " + result_text(result));
    if (static_cast<std::size_t>(result) < of) return l.push_back("< send part");
    if (l.back() != "> send") return l.push_back("< send all");
    l.pop_back();
    constexpr std::string_view sent = "sent ";
    if (l.back().starts_with(sent)) {
      const bool was_much = l.back().ends_with("much");
      of += was_much ? std::size_t{1} << 30 : std::stoul(l.back().substr(sent.size()));
      l.pop_back();
    }
    l.push_back(std::string(sent) + size_text(of));
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<lines> connections_;
  std::vector<std::size_t> numbers_;  // by place: the connection in it + 1
  std::vector<std::size_t> sending_;  // by place: bytes of its send in flight
  std::uint64_t version_ = 0;
  std::size_t shutdowns_ = 0;  // in flight
  std::uint64_t probes_ = 0;
  bool probing_ = false;  // of the ring's thread
  bool is_shut_ = false;
};

/// Holds the template, because a template argument can't be bound in part otherwise.
template <template <ring_sizes> class Inner>
struct traced {
  template <ring_sizes Sizes>
  class ring : public Inner<Sizes> {
    using inner = Inner<Sizes>;

   public:
    void receive(token t, std::uint32_t place) {
      trace::current().submitted(place, "receive");
      inner::receive(t, place);
    }
    void receive_once(token t, std::uint32_t place) {
      trace::current().submitted(place, "receive once");
      inner::receive_once(t, place);
    }
    void send(token t, std::uint32_t place, std::string_view bytes) {
      trace::current().sends(place, bytes.size());
      inner::send(t, place, bytes);
    }
    void send_vector(token t, std::uint32_t place, std::span<const std::string_view> parts) {
      std::size_t bytes = 0;
      for (const auto part : parts) bytes += part.size();
      trace::current().sends(place, bytes);
      inner::send_vector(t, place, parts);
    }
    void shutdown(token t, std::uint32_t place) {
      trace::current().submitted(place, "shutdown");
      inner::shutdown(t, place);
    }
    void disconnect(token t, std::uint32_t place) {
      trace::current().submitted(place, "disconnect");
      inner::disconnect(t, place);
    }
    void watch_end(token t, std::uint32_t place) {
      trace::current().submitted(place, "watch end");
      inner::watch_end(t, place);
    }
    void cancel(token t, token which) {
      constexpr const char* names[] = {"none", "accept", "receive", "send", "shutdown",
                                       "end",  "cancel", "close",   "wake"};
      trace::current().submitted(
          t.slot(), std::string("cancel ") + names[static_cast<std::size_t>(which.operation())]);
      inner::cancel(t, which);
    }
    void close(token t, std::uint32_t place) {
      trace::current().submitted(place, "close");
      inner::close(t, place);
    }
    void shut() {
      inner::shut();
      trace::current().shut();
    }

    template <class OnCompletion>
    void wait(const std::uint32_t* deadline_ms, OnCompletion&& on_completion) {
      trace& to = trace::current();
      constexpr token probe(operation::wake, 0, trace::probe_slot);
      if (to.wants_probe()) inner::watch(probe, to.probe);
      inner::wait(deadline_ms, [&](const completion& done) {
        if (done.token == probe) return to.probed();
        to.completed(done);
        on_completion(done);
      });
    }
  };
};

}  // namespace nen::test
