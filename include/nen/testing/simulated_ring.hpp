// testing, L3: a ring without a kernel: the second model of the concept. One seed decides all that
// happens; time passes only when nothing else can. It asserts what the kernel would not forgive.
#pragma once

#include <nen/core/assert.hpp>
#include <nen/core/result.hpp>
#include <nen/io/completion.hpp>
#include <nen/io/ring.hpp>
#include <nen/testing/network.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace nen::testing {

/// All of a simulated ring that does not depend on its sizes.
class simulated_ring_base {
 public:
  static constexpr std::size_t vector_parts_max = 8;

  simulated_ring_base() = default;
  simulated_ring_base(const simulated_ring_base&) = delete;
  simulated_ring_base& operator=(const simulated_ring_base&) = delete;
  ~simulated_ring_base() { NEN_ASSERT(network_ == nullptr); }  // it has to be shut

  void accept(token t, int, std::uint32_t place, accepted_name* who = nullptr) {
    NEN_ASSERT(place < places_.size() && places_[place] == nullptr);
    submit({.name = t, .place = place, .who = who});
  }
  static bool has_backlog(int) noexcept { return network::current().has_backlog(); }
  void connect(token t, std::uint32_t place, const endpoint& to) {
    NEN_ASSERT(place < places_.size() && places_[place] == nullptr);
    destinations_[place] = to;
    submit({.name = t, .place = place});
  }
  void receive(token t, std::uint32_t place) { submit({.name = t, .place = place}); }
  void receive_once(token t, std::uint32_t place) {
    submit({.name = t, .place = place, .once = true});
  }
  void send(token t, std::uint32_t place, std::string_view bytes) {
    send_vector(t, place, {&bytes, 1});
  }
  void send_vector(token t, std::uint32_t place, std::span<const std::string_view> parts);
  void shutdown(token t, std::uint32_t place) { submit({.name = t, .place = place}); }
  void disconnect(token t, std::uint32_t place) { submit({.name = t, .place = place}); }
  void watch_end(token t, std::uint32_t place) { submit({.name = t, .place = place}); }
  void cancel(token t, token which) { submit({.name = t, .which = which}); }
  void close(token t, std::uint32_t place) { submit({.name = t, .place = place}); }
  void poll(token t, int descriptor, readiness what) {
    submit({.name = t, .descriptor = descriptor, .readiness = what});
  }
  void write(token t, int descriptor, std::string_view bytes);
  void watch(token t, int) { submit({.name = t}); }
  std::uint64_t watched() const noexcept { return watched_; }
  static void wake(int, std::uint64_t amount) noexcept { network::current().wake(amount); }
  static void refuse(int) noexcept { network::current().stop_listening(); }

  /// Takes the ring down, as the end of a shard does.
  /// @pre  no socket is open, no receive buffer is leased, and no operation is outstanding, except
  ///       for the waker's (asserted)
  void shut() noexcept;

  std::uint32_t now_ms() const noexcept { return static_cast<std::uint32_t>(network_->now_ms()); }
  const ring_counters& counters() const noexcept { return counters_; }

  std::uint64_t now_ns() const noexcept { return network_->now_ms() * 1'000'000; }
  std::uint64_t clock_ns() const noexcept { return now_ns(); }
  std::int64_t unix_seconds() const noexcept {
    return 1'700'000'000 + static_cast<std::int64_t>(network_->now_ms() / 1000);
  }

  // What a test may look at.

  /// True when nothing can happen before a client acts or somebody's time is up.
  bool is_quiet() const noexcept { return completions_.empty() && !has_work(); }
  /// True when something can happen without time passing.
  bool has_work() const noexcept;
  /// When the first completion that is under way is due; for ever when none is.
  std::uint64_t next_due_ms() const noexcept {
    std::uint64_t first = ~std::uint64_t{0};
    for (const scheduled& s : completions_) first = std::min(first, s.due);
    return first;
  }
  /// Operations that were submitted and whose last completion was not handed over; the waker's is
  /// not counted.
  std::size_t outstanding() const noexcept;
  std::size_t leases_out() const noexcept { return leases_out_; }
  /// Of those, the ones in completions that were not handed over yet.
  std::size_t leases_undelivered() const noexcept;
  /// What was submitted so far, in order.
  const std::vector<operation>& history() const noexcept { return history_; }

 protected:
  [[nodiscard]] result<void> set_up(const ring_sizes& sizes, char* memory);
  void give_back_to(const ring_sizes& sizes, std::uint16_t lease) noexcept;
  bool is_leased(std::uint16_t lease) const noexcept { return leased_[lease]; }

  /// Runs what was submitted, lets time pass up to what comes first, and collects what is due.
  std::vector<completion>& advance(const std::uint32_t* deadline_ms);

 private:
  struct request {
    token name{};
    std::uint32_t place = 0;
    token which{};                 // cancel
    int descriptor = 0;            // poll, write
    accepted_name* who = nullptr;  // accept
    nen::readiness readiness = nen::readiness::readable;
    bool once = false;        // receive
    bool unanswered = false;  // connect: the other side is silent
    bool deaf = false;        // receive: has missed a reset (faults::unheard_reset)
    // send, write
    std::array<std::string_view, vector_parts_max> parts{};
    std::size_t done = 0;
    std::uint64_t hash = 0;
    bool cancelled = false;  // completes next
    bool finished = false;

    operation what() const noexcept { return name.operation(); }
    std::size_t size() const noexcept {
      std::size_t sum = 0;
      for (const auto part : parts) sum += part.size();
      return sum;
    }
    /// The rest of the first part that is not through.
    std::string_view unsent() const noexcept {
      std::size_t skip = done;
      for (const auto part : parts) {
        if (skip < part.size()) return part.substr(skip);
        skip -= part.size();
      }
      return {};
    }
  };
  struct scheduled {
    std::uint64_t due;
    completion done;
  };

  void submit(request r);
  void flush();
  void begin(request& r);
  static bool tries_at_once(const request& r) noexcept;
  void fail(request& r, int errno_value);
  bool is_ready(const request& r) const noexcept;
  void progress(request& r);
  void progress_all();
  void progress_accept(request& r);
  void progress_connect(request& r);
  void begin_connect(request& r);
  void progress_receive(request& r);
  void progress_send(request& r);
  void progress_write(request& r);
  void cancel_now(request& r);
  void post(const request& r, std::int32_t result, std::uint16_t lease = completion::no_lease,
            bool more = false);
  void finish(request& r, std::int32_t result, std::uint16_t lease = completion::no_lease) {
    r.finished = true;
    post(r, result, lease);
  }
  void reorder();
  void forget_finished() {
    std::erase_if(running_, [](const request& r) { return r.finished; });
  }
  /// Fills a free receive buffer. @pre there is one
  std::uint16_t fill_buffer(wire& from, std::size_t bytes);
  /// FNV-1a of what is to be sent: it has to be the same when the send completes.
  static std::uint64_t hash_of(const request& r) noexcept {
    std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
    for (const auto part : r.parts)
      for (const char c : part) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100'0000'01b3;
    return hash;
  }
  wire& wire_of(const request& r) const noexcept {
    NEN_ASSERT(r.place < places_.size() && places_[r.place] != nullptr);
    return *places_[r.place];
  }

  network* network_ = nullptr;
  ring_sizes sizes_{};
  char* memory_ = nullptr;
  std::vector<std::shared_ptr<wire>> places_;
  std::vector<endpoint> destinations_;  // of the connects of these places
  std::vector<request> queue_;          // the submission queue
  std::vector<request> running_;        // in the order of submission
  std::vector<scheduled> completions_;
  std::vector<completion> batch_;
  std::vector<operation> history_;
  std::deque<std::uint16_t> free_buffers_;
  std::vector<bool> leased_;
  std::size_t leases_out_ = 0;
  std::uint64_t watched_ = 0;
  ring_counters counters_{};
};

/// A ring in memory, for a server under test. It takes its network from the thread that opens it.
template <ring_sizes Sizes>
class simulated_ring : public simulated_ring_base {
 public:
  [[nodiscard]] result<void> open() noexcept { return set_up(Sizes, memory_); }

  char* lease_bytes(std::uint16_t lease) noexcept {
    NEN_ASSERT(lease < Sizes.receive_buffers && is_leased(lease));
    return memory_ + std::size_t{lease} * Sizes.receive_buffer_bytes;
  }
  void give_back(std::uint16_t lease) noexcept { give_back_to(Sizes, lease); }

  template <class OnCompletion>
  void wait(const std::uint32_t* deadline_ms, OnCompletion&& on_completion) {
    for (const completion& done : advance(deadline_ms)) on_completion(done);
  }

 private:
  char memory_[std::size_t{Sizes.receive_buffers} * Sizes.receive_buffer_bytes];
};

}  // namespace nen::testing

#include <nen/testing/simulated_ring.ipp>
#include <nen/testing/simulated_ring_write.ipp>
