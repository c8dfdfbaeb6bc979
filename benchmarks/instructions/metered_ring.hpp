// A simulated ring whose own instructions are not counted. Callgrind is told the names: counting is
// on within metered(), and off within every function of unmetered_ring.
#pragma once

#include <nen/io/ring.hpp>
#include <nen/testing/simulated_ring.hpp>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace instructions {

/// Runs a turn of a server's loop, and counts what it takes.
void metered(void (*turn)(void*), void* server);

/// The verbs of the simulated ring. They are not inline, because callgrind switches where a
/// function begins and ends, and not of a template, so that their names begin with this class's.
class unmetered_ring : public nen::testing::simulated_ring_base {
 public:
  void accept(nen::token t, int listener, std::uint32_t place, nen::accepted_name* who = nullptr);
  void connect(nen::token t, std::uint32_t place, const nen::endpoint& to);
  void receive(nen::token t, std::uint32_t place);
  void receive_once(nen::token t, std::uint32_t place);
  void send(nen::token t, std::uint32_t place, std::string_view bytes);
  void send_vector(nen::token t, std::uint32_t place, std::span<const std::string_view> parts);
  void shutdown(nen::token t, std::uint32_t place);
  void disconnect(nen::token t, std::uint32_t place);
  void watch_end(nen::token t, std::uint32_t place);
  void cancel(nen::token t, nen::token which);
  void close(nen::token t, std::uint32_t place);
  void poll(nen::token t, int descriptor, nen::readiness what);
  void watch(nen::token t, int descriptor);

  // The clocks are read where they cost what they cost with the kernel's ring: one load.
  std::uint32_t now_ms() const noexcept { return now_ms_; }
  std::uint64_t now_ns() const noexcept { return std::uint64_t{now_ms_} * 1'000'000; }
  std::uint64_t clock_ns() const noexcept { return now_ns(); }
  std::int64_t unix_seconds() const noexcept { return unix_seconds_; }

 protected:
  [[nodiscard]] nen::result<void> open_with(const nen::ring_sizes& sizes, char* memory) noexcept;
  void give_back_one(const nen::ring_sizes& sizes, std::uint16_t lease) noexcept;
  /// What completed, after the clock has moved.
  const std::vector<nen::completion>& collect(const std::uint32_t* deadline_ms);

 private:
  void read_clocks() noexcept;

  std::uint32_t now_ms_ = 0;
  std::int64_t unix_seconds_ = 0;
};

template <nen::ring_sizes Sizes>
class metered_ring : public unmetered_ring {
 public:
  [[nodiscard]] nen::result<void> open() noexcept { return open_with(Sizes, memory_); }

  char* lease_bytes(std::uint16_t lease) noexcept {
    return memory_ + std::size_t{lease} * Sizes.receive_buffer_bytes;
  }
  void give_back(std::uint16_t lease) noexcept { give_back_one(Sizes, lease); }

  template <class OnCompletion>
  void wait(const std::uint32_t* deadline_ms, OnCompletion&& on_completion) {
    for (const nen::completion& done : collect(deadline_ms)) on_completion(done);
  }

 private:
  char memory_[std::size_t{Sizes.receive_buffers} * Sizes.receive_buffer_bytes];
};

}  // namespace instructions
