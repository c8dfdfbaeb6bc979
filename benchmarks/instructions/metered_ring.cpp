// The verbs, out of line, and the meter.
#include "metered_ring.hpp"

namespace instructions {

void metered(void (*turn)(void*), void* server) { turn(server); }

using simulated = nen::testing::simulated_ring_base;

void unmetered_ring::accept(nen::token t, int listener, std::uint32_t place,
                            nen::accepted_name* who) {
  simulated::accept(t, listener, place, who);
}
void unmetered_ring::connect(nen::token t, std::uint32_t place, const nen::endpoint& to) {
  simulated::connect(t, place, to);
}
void unmetered_ring::receive(nen::token t, std::uint32_t place) { simulated::receive(t, place); }
void unmetered_ring::receive_once(nen::token t, std::uint32_t place) {
  simulated::receive_once(t, place);
}
void unmetered_ring::send(nen::token t, std::uint32_t place, std::string_view bytes) {
  simulated::send(t, place, bytes);
}
void unmetered_ring::send_vector(nen::token t, std::uint32_t place,
                                 std::span<const std::string_view> parts) {
  simulated::send_vector(t, place, parts);
}
void unmetered_ring::shutdown(nen::token t, std::uint32_t place) { simulated::shutdown(t, place); }
void unmetered_ring::disconnect(nen::token t, std::uint32_t place) {
  simulated::disconnect(t, place);
}
void unmetered_ring::watch_end(nen::token t, std::uint32_t place) {
  simulated::watch_end(t, place);
}
void unmetered_ring::cancel(nen::token t, nen::token which) { simulated::cancel(t, which); }
void unmetered_ring::close(nen::token t, std::uint32_t place) { simulated::close(t, place); }
void unmetered_ring::poll(nen::token t, int descriptor, nen::readiness what) {
  simulated::poll(t, descriptor, what);
}
void unmetered_ring::watch(nen::token t, int descriptor) { simulated::watch(t, descriptor); }

nen::result<void> unmetered_ring::open_with(const nen::ring_sizes& sizes, char* memory) noexcept {
  auto done = set_up(sizes, memory);
  if (done) read_clocks();
  return done;
}

void unmetered_ring::give_back_one(const nen::ring_sizes& sizes, std::uint16_t lease) noexcept {
  give_back_to(sizes, lease);
}

const std::vector<nen::completion>& unmetered_ring::collect(const std::uint32_t* deadline_ms) {
  const auto& done = advance(deadline_ms);
  read_clocks();
  return done;
}

void unmetered_ring::read_clocks() noexcept {
  now_ms_ = simulated::now_ms();
  unix_seconds_ = simulated::unix_seconds();
}

}  // namespace instructions
