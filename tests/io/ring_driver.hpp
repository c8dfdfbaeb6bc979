// Drives the kernel's ring in tests: waits for single completions and keeps the others.
#pragma once

#include <nen/io/uring.hpp>
#include <nen/net/socket.hpp>

#include <deque>
#include <stdexcept>
#include <string>

#include "support/client.hpp"

namespace nen::test {

inline token name(operation what, std::uint32_t slot, std::uint32_t generation = 1) {
  return {what, generation, slot};
}

/// A ring, opened, and a listener on a port of its own.
template <class Ring>
class ring_driver {
 public:
  explicit ring_driver(Ring& r) : ring(r) {
    auto where = endpoint::parse("127.0.0.1", 0);
    auto made = listen_on(*where);
    listener_ = std::move(*made);
    port_ = local_endpoint(listener_)->port();
    if (auto opened = ring.open(); !opened)
      throw std::runtime_error(std::string(opened.error().message()));
  }
  ~ring_driver() { ring.shut(); }

  int listener() const { return listener_.native_handle(); }
  std::uint16_t port() const { return port_; }

  /// Waits for this operation's next completion, for two seconds.
  completion next(token which) {
    for (const auto until = ring.now_ms() + 2000;;) {
      for (auto i = kept_.begin(); i != kept_.end(); ++i) {
        if (!(i->token == which)) continue;
        const completion found = *i;
        kept_.erase(i);
        return found;
      }
      if (static_cast<std::int32_t>(until - ring.now_ms()) <= 0)
        throw std::runtime_error("an operation didn't complete");
      ring.wait(&until, [&](const completion& done) { kept_.push_back(done); });
    }
  }
  /// Waits this long. @returns  how many completions are there that nobody has asked for
  std::size_t idle(std::uint32_t milliseconds) {
    for (const auto until = ring.now_ms() + milliseconds;
         static_cast<std::int32_t>(until - ring.now_ms()) > 0;)
      ring.wait(&until, [&](const completion& done) { kept_.push_back(done); });
    return kept_.size();
  }

  /// A client connected to a place.
  client connect(std::uint32_t place, int receive_buffer = 0) {
    ring.accept(name(operation::accept, place), listener(), place);
    client c(port_, receive_buffer);
    if (next(name(operation::accept, place)).result != 0) throw std::runtime_error("accept failed");
    return c;
  }
  /// The bytes of a received lease, which goes back.
  std::string bytes_of(const completion& done) {
    const std::string bytes(ring.lease_bytes(done.lease), static_cast<std::size_t>(done.result));
    ring.give_back(done.lease);
    return bytes;
  }
  /// Receives until there are so many bytes.
  std::string gather(token receive, std::size_t size) {
    std::string all;
    while (all.size() < size) {
      const completion done = next(receive);
      if (done.result <= 0) throw std::runtime_error("the stream ended early");
      all += bytes_of(done);
    }
    return all;
  }

  Ring& ring;

 private:
  socket listener_;
  std::uint16_t port_ = 0;
  std::deque<completion> kept_;
};

}  // namespace nen::test
