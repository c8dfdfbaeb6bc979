// testing, L3: bytes that go out by the simulated ring: sends, and writes to somebody else's
// descriptor.
#pragma once

namespace nen::testing {

inline void simulated_ring_base::send_vector(token t, std::uint32_t place,
                                             std::span<const std::string_view> parts) {
  NEN_ASSERT(!parts.empty() && parts.size() <= vector_parts_max);
  request r{.name = t, .place = place};
  std::copy(parts.begin(), parts.end(), r.parts.begin());
  NEN_ASSERT(r.size() != 0);
  r.hash = hash_of(r);
  submit(r);
}

inline void simulated_ring_base::write(token t, int descriptor, std::string_view bytes) {
  NEN_ASSERT(!bytes.empty());
  request r{.name = t, .descriptor = descriptor};
  r.parts[0] = bytes;
  r.hash = hash_of(r);
  submit(r);
}

inline void simulated_ring_base::progress_write(request& r) {
  constexpr std::array errnos = {EAGAIN, EINTR, ENOSPC, EIO};
  const testing::faults& faults = network_->faults;
  network::sink& to = network_->sink_of(r.descriptor);
  if (to.errno_value != 0) return finish(r, -to.errno_value);
  if (network_->chance.chance(faults.refused_write))
    return finish(r, -errnos[network_->chance.below(errnos.size())]);
  r.done = r.size();
  if (network_->chance.chance(faults.short_write)) r.done = network_->chance.between(1, r.done);
  to.writes.emplace_back(r.parts[0].substr(0, r.done));
  finish(r, static_cast<std::int32_t>(r.done));
}

}  // namespace nen::testing
