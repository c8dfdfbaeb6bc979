// testing, L3: what the simulated ring does with an operation. From top to bottom: submitting,
// running, cancelling, completing, set-up and end.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define NEN_POISONS_LEASES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NEN_POISONS_LEASES 1
#endif
#endif
#if defined(NEN_POISONS_LEASES)
#include <sanitizer/asan_interface.h>
#endif

namespace nen::testing {

namespace detail {

/// Memory that belongs to the kernel: reading it is found at once under AddressSanitizer, and gives
/// bytes that no test expects otherwise.
inline void hide(char* bytes, std::size_t size) noexcept {
  std::memset(bytes, 0xdb, size);
#if defined(NEN_POISONS_LEASES)
  __asan_poison_memory_region(bytes, size);
#endif
}
inline void show(char* bytes, std::size_t size) noexcept {
#if defined(NEN_POISONS_LEASES)
  __asan_unpoison_memory_region(bytes, size);
#endif
  (void)bytes, (void)size;
}

}  // namespace detail

// ---- submitting ----

inline void simulated_ring_base::submit(request r) {
  NEN_ASSERT(network_ != nullptr);
  constexpr std::size_t large = 256;
  const bool is_full = network_->faults.small_submission_queue ? network_->chance.chance(300)
                                                               : queue_.size() >= large;
  if (is_full) flush();
  queue_.push_back(r);
}

inline void simulated_ring_base::flush() {
  std::vector<request> taken;
  taken.swap(queue_);
  counters_.submissions.add(taken.size());
  for (request& r : taken) {
    history_.push_back(r.what());
    begin(r);
    if (tries_at_once(r)) progress(r);
    if (!r.finished) running_.push_back(r);
  }
}

/// The kernel sees an operation for the first time.
inline void simulated_ring_base::begin(request& r) {
  if (network_->failure.at == history_.size()) return fail(r, network_->failure.errno_value);
  switch (r.what()) {
    case operation::cancel:
      return cancel_now(r);
    case operation::shutdown:
      finish(r, wire_of(r).is_over() ? -ENOTCONN : 0);
      return wire_of(r).server_finishes();
    case operation::close:
      for (const request& other : running_)  // its completion would find another connection's place
        NEN_ASSERT(other.finished || other.place != r.place || other.what() == operation::wake ||
                   other.what() == operation::poll || other.what() == operation::write);
      wire_of(r).server_closes();
      places_[r.place] = nullptr;
      return finish(r, 0);
    case operation::connect:
      return begin_connect(r);
    case operation::disconnect:
      wire_of(r).break_off();
      return finish(r, 0);
    case operation::accept:
    case operation::receive:
    case operation::send:
    case operation::end:
    case operation::poll:
    case operation::wake:
    case operation::write:
      for (const request& other : running_)  // one of each kind at a time for a connection
        NEN_ASSERT(other.finished || other.name != r.name);
      return;
    case operation::none:
      break;
  }
  NEN_ASSERT(false);
}

/// What the kernel tries when it is submitted, before it looks at the next one. The receive that
/// goes on waits for an event first (IORING_RECVSEND_POLL_FIRST).
inline bool simulated_ring_base::tries_at_once(const request& r) noexcept {
  return r.what() != operation::receive || r.once;
}

/// Lets an operation fail at once, whatever it would have done. A close still closes.
inline void simulated_ring_base::fail(request& r, int errno_value) {
  if (r.what() == operation::close) {
    wire_of(r).server_closes();
    places_[r.place] = nullptr;
  }
  if (r.what() == operation::connect && errno_value != EBADF)  // EBADF: no socket could be made
    places_[r.place] = std::make_shared<wire>(network_->window);
  finish(r, -errno_value);
}

// ---- running ----

inline bool simulated_ring_base::is_ready(const request& r) const noexcept {
  switch (r.what()) {
    case operation::accept:
      return network_->has_backlog() || !network_->is_listening();
    case operation::receive:
      return wire_of(r).readable() != 0 || (wire_of(r).has_hung_up() && !r.deaf) ||
             (r.once && free_buffers_.empty());
    case operation::send:
      return wire_of(r).writable() != 0 || wire_of(r).is_broken();
    case operation::end:
      return wire_of(r).has_hung_up();
    case operation::wake:
      return network_->waker() != 0;
    case operation::connect:
      return !r.unanswered;
    case operation::poll:
      return network_->is_ready(r.descriptor, r.readiness);
    case operation::write:
      return !network_->sink_of(r.descriptor).is_stuck;
    default:
      return false;
  }
}

inline void simulated_ring_base::progress(request& r) {
  if (r.finished || r.cancelled || !is_ready(r)) return;
  switch (r.what()) {
    case operation::accept:
      return progress_accept(r);
    case operation::connect:
      return progress_connect(r);
    case operation::poll:
      return finish(r, r.readiness == nen::readiness::readable ? 0x1 : 0x4);  // POLLIN, POLLOUT
    case operation::receive:
      return progress_receive(r);
    case operation::send:
      return progress_send(r);
    case operation::write:
      return progress_write(r);
    case operation::end: {
      constexpr std::int32_t pollrdhup = 0x2000;
      constexpr std::int32_t pollhup = 0x10;
      return finish(r, pollrdhup | (wire_of(r).is_broken() ? pollhup | end_by_reset : 0));
    }
    case operation::wake:
      watched_ = network_->take_waker();
      return finish(r, sizeof watched_);
    default:
      return;
  }
}

inline void simulated_ring_base::progress_accept(request& r) {
  if (!network_->is_listening()) return finish(r, -EINVAL);
  if (network_->chance.chance(network_->faults.refused_accept)) {
    constexpr std::array errnos = {ECONNABORTED, EMFILE, ENFILE, ENOMEM};
    const int errno_value = errnos[network_->chance.below(errnos.size())];
    if (errno_value == ECONNABORTED) network_->accept()->break_off();
    return finish(r, -errno_value);
  }
  places_[r.place] = network_->accept();
  if (r.who != nullptr) *r.who = places_[r.place]->client_name();
  finish(r, 0);
}

inline void simulated_ring_base::progress_connect(request& r) {
  const int problem = network_->dial(destinations_[r.place], places_[r.place]);
  r.unanswered = problem == EINPROGRESS;
  if (!r.unanswered) finish(r, -problem);
}

inline void simulated_ring_base::begin_connect(request& r) {
  constexpr std::array errnos = {EBADF, ECONNREFUSED, ETIMEDOUT, ENETUNREACH};
  if (network_->chance.chance(network_->faults.refused_connect))
    return fail(r, errnos[network_->chance.below(errnos.size())]);
  places_[r.place] = std::make_shared<wire>(network_->window);
}

inline void simulated_ring_base::progress_receive(request& r) {
  const testing::faults& faults = network_->faults;
  wire& from = wire_of(r);
  if (from.readable() != 0 && network_->chance.chance(faults.reset)) from.break_off();
  // A buffer is chosen before it is known what there is, be it the end.
  if (free_buffers_.empty()) return finish(r, -ENOBUFS);
  while (from.readable() != 0) {
    if (free_buffers_.empty() || network_->chance.chance(faults.no_buffer))
      return finish(r, -ENOBUFS);
    auto bytes = std::min<std::size_t>(from.readable(), sizes_.receive_buffer_bytes);
    if (network_->chance.chance(faults.short_receive)) bytes = network_->chance.between(1, bytes);
    const std::uint16_t lease = fill_buffer(from, bytes);
    const auto result = static_cast<std::int32_t>(bytes);
    if (r.once || network_->chance.chance(faults.multishot_stops)) return finish(r, result, lease);
    post(r, result, lease, true);
    r.deaf = from.readable() == 0 && from.is_broken() && !from.at_end() &&
             network_->chance.chance(faults.unheard_reset);
  }
  if (r.deaf || !from.has_hung_up()) return;
  if (!from.at_end()) {
    const int problem = from.take_error(0);
    return finish(r, -problem);
  }
  const bool with_lease = !free_buffers_.empty() && network_->chance.chance(faults.end_with_lease);
  finish(r, 0, with_lease ? fill_buffer(from, 0) : completion::no_lease);
}

inline std::uint16_t simulated_ring_base::fill_buffer(wire& from, std::size_t bytes) {
  const std::uint16_t lease = free_buffers_.front();
  free_buffers_.pop_front();
  leased_[lease] = true;
  ++leases_out_;
  char* const into = memory_ + std::size_t{lease} * sizes_.receive_buffer_bytes;
  detail::show(into, bytes);
  const auto taken = from.server_takes(into, bytes);
  NEN_ASSERT(taken == bytes);
  return lease;
}

inline void simulated_ring_base::progress_send(request& r) {
  const testing::faults& faults = network_->faults;
  wire& to = wire_of(r);
  if (network_->chance.chance(faults.reset)) to.break_off();
  while (r.done != r.size() && !to.is_broken() && to.writable() != 0) {
    const std::string_view piece = r.unsent().substr(0, to.writable());
    to.server_puts(piece);
    r.done += piece.size();
  }
  const bool all = r.done == r.size();
  const bool is_short = r.done != 0 && network_->chance.chance(faults.short_send);
  if (!all && !to.is_broken() && !is_short) return;
  const int problem = to.is_broken() ? to.take_error(EPIPE) : 0;  // the error is taken either way
  finish(r, r.done != 0 ? static_cast<std::int32_t>(r.done) : -problem);
}

// ---- cancelling ----

inline void simulated_ring_base::cancel_now(request& r) {
  const auto found = std::find_if(running_.begin(), running_.end(), [&](const request& other) {
    return !other.finished && !other.cancelled && other.name == r.which;
  });
  if (found == running_.end()) return finish(r, -ENOENT);
  if (network_->chance.chance(network_->faults.cancel_misses)) progress(*found);
  if (found->finished) return finish(r, -ENOENT);
  finish(r, 0);  // the kernel says so first
  found->cancelled = true;
  std::rotate(found, found + 1, running_.end());  // cancelled ones complete in their order
}

// ---- completing ----

inline void simulated_ring_base::post(const request& r, std::int32_t result, std::uint16_t lease,
                                      bool more) {
  // The bytes of a send or a write have to stay as they were until it completes.
  NEN_ASSERT(r.hash == 0 || hash_of(r) == r.hash);
  const testing::faults& faults = network_->faults;
  std::uint64_t due = network_->now_ms();
  if (network_->chance.chance(faults.late)) due += network_->chance.between(1, faults.late_ms_max);
  for (const scheduled& before : completions_)  // one operation's completions keep their order
    if (before.done.token == r.name) due = std::max(due, before.due);
  completions_.push_back({due, {.token = r.name, .result = result, .lease = lease, .more = more}});
}

/// Who waits for a connection since last is woken first; accepts are woken in turn.
inline void simulated_ring_base::progress_all() {
  for (request& r : running_)
    if (r.cancelled) finish(r, r.done != 0 ? static_cast<std::int32_t>(r.done) : -ECANCELED);
  forget_finished();
  for (request& r : running_)
    if (r.what() == operation::accept) progress(r);
  const std::size_t count = running_.size();
  const auto last =
      network_->faults.reordered && count != 0 ? network_->chance.below(count) : count - 1;
  for (std::size_t i = 0; i < count; ++i) progress(running_[(last + count - i) % count]);
  forget_finished();
}

inline std::vector<completion>& simulated_ring_base::advance(const std::uint32_t* deadline_ms) {
  counters_.waits.add();
  flush();
  progress_all();
  std::uint64_t until = std::min(network_->horizon_ms, next_due_ms());
  if (deadline_ms != nullptr) {
    const auto left = static_cast<std::int32_t>(*deadline_ms - now_ms());
    until = std::min(until, network_->now_ms() + static_cast<std::uint64_t>(std::max(left, 0)));
  }
  NEN_ASSERT(until != ~std::uint64_t{0});  // nothing will ever happen: who waits, waits for ever
  network_->pass_until(until);
  batch_.clear();
  for (auto& s : completions_)
    if (s.due <= network_->now_ms()) batch_.push_back(s.done);
  std::erase_if(completions_, [&](const scheduled& s) { return s.due <= network_->now_ms(); });
  if (network_->faults.reordered) reorder();
  return batch_;
}

/// Puts what is due in any order; completions of one operation keep theirs.
inline void simulated_ring_base::reorder() {
  std::vector<completion> ordered;
  ordered.swap(batch_);
  std::vector<token> places;
  for (const completion& c : ordered) places.push_back(c.token);
  for (std::size_t i = places.size(); i > 1; --i)
    std::swap(places[i - 1], places[network_->chance.below(i)]);
  for (const token& t : places) {
    const auto next = std::find_if(ordered.begin(), ordered.end(),
                                   [&](const completion& c) { return c.token == t; });
    batch_.push_back(*next);
    ordered.erase(next);
  }
}

inline bool simulated_ring_base::has_work() const noexcept {
  if (!queue_.empty() || next_due_ms() <= network_->now_ms()) return true;
  return std::any_of(running_.begin(), running_.end(),
                     [this](const request& r) { return !r.finished && is_ready(r); });
}

inline std::size_t simulated_ring_base::outstanding() const noexcept {
  const auto counts = [](operation what) { return what != operation::wake; };
  std::size_t sum = 0;
  for (const request& r : queue_) sum += counts(r.what());
  for (const request& r : running_) sum += counts(r.what()) && !r.finished;
  for (const scheduled& s : completions_) sum += counts(s.done.token.operation()) && !s.done.more;
  return sum;
}

inline std::size_t simulated_ring_base::leases_undelivered() const noexcept {
  return static_cast<std::size_t>(
      std::count_if(completions_.begin(), completions_.end(),
                    [](const scheduled& s) { return s.done.lease != completion::no_lease; }));
}

// ---- set-up and end ----

inline result<void> simulated_ring_base::set_up(const ring_sizes& sizes, char* memory) {
  NEN_ASSERT(network_ == nullptr);
  network& found = network::current();
  if (found.open_errno != 0)
    return make_error(found.open_errno, "cannot open the simulated ring: %s",
                      std::strerror(found.open_errno));
  network_ = &found;
  sizes_ = sizes;
  memory_ = memory;
  places_.assign(sizes.places, nullptr);
  destinations_.resize(sizes.places);
  leased_.assign(sizes.receive_buffers, false);
  free_buffers_.clear();
  for (std::uint32_t i = 0; i < sizes.receive_buffers; ++i)
    free_buffers_.push_back(static_cast<std::uint16_t>(i));
  detail::hide(memory_, std::size_t{sizes.receive_buffers} * sizes.receive_buffer_bytes);
  leases_out_ = 0;
  watched_ = 0;
  history_.clear();
  return {};
}

inline void simulated_ring_base::give_back_to(const ring_sizes& sizes,
                                              std::uint16_t lease) noexcept {
  NEN_ASSERT(lease < sizes.receive_buffers && leased_[lease]);
  leased_[lease] = false;
  --leases_out_;
  free_buffers_.push_back(lease);
  char* const bytes = memory_ + std::size_t{lease} * sizes.receive_buffer_bytes;
  detail::show(bytes, sizes.receive_buffer_bytes);
  detail::hide(bytes, sizes.receive_buffer_bytes);
}

inline void simulated_ring_base::shut() noexcept {
  if (network_ == nullptr) return;
  NEN_ASSERT(outstanding() == 0 && leases_out_ == 0);
  for (const auto& place : places_) NEN_ASSERT(place == nullptr);
  detail::show(memory_, std::size_t{sizes_.receive_buffers} * sizes_.receive_buffer_bytes);
  places_.clear();
  queue_.clear();
  running_.clear();
  completions_.clear();
  network_ = nullptr;
}

}  // namespace nen::testing
