// io, L2: the concept `ring`: submits operations, returns completions. `uring` is the kernel's;
// nothing here needs a kernel, so that a simulation or an epoll loop can be a ring as well.
#pragma once

#include <nen/core/result.hpp>
#include <nen/io/accepted_name.hpp>
#include <nen/io/completion.hpp>
#include <nen/metrics/counter.hpp>
#include <nen/net/address.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace nen {

/// What a descriptor is polled for.
enum class readiness : std::uint8_t { readable, writable };

/// A bit in the result of watch_end.
inline constexpr std::int32_t end_by_reset = 8;

/// What shapes a ring's memory.
struct ring_sizes {
  std::uint32_t places = 0;  ///< sockets at once; a socket is named by its place, 0 … places − 1
  std::uint32_t receive_buffers = 0;  ///< a power of two
  std::uint32_t receive_buffer_bytes = 0;
};

/// What a ring counts of itself; any thread may read it.
struct ring_counters {
  counter waits;        ///< turns: each is one system call, or two
  counter submissions;  ///< operations
  counter overflows;    ///< turns that found completions that the completion queue had no place for
};

/// A ring belongs to the thread that opened it. No verb but open can fail: a full submission queue
/// is flushed inside, and what goes wrong with an operation is its completion's result. Bytes to be
/// sent must stay where they are until the send completes; the vector itself only during the call.
///
///   open(), shut()                  sets the ring up on the calling thread; takes it down
///   accept(t, listener, place, who) one connection, put into `place`, which must be empty; its
///                                   address into *who, unless that is null, when it completes
///   has_backlog(listener)           true when somebody waits to be accepted just now
///   connect(t, place, endpoint)     a new socket in `place`, which must be empty, to a listener;
///                                   EBADF: no socket could be made, the place is still empty.
///                                   TCP sends small messages at once (TCP_NODELAY)
///   receive(t, place)               again and again, each time into a leased buffer chosen when
///   bytes
///                                   are there, until a completion without `more`: the peer's end
///                                   (0), an error, a cancel, or ENOBUFS when no buffer is free
///   receive_once(t, place)          the same, once
///   send(t, place, bytes)           all of them, or an error; a short result means the peer left
///   send_vector(t, place, parts)    the same for several parts, at most vector_parts_max
///   shutdown(t, place)              no more will be sent; receiving goes on
///   disconnect(t, place)            breaks the connection off: the peer gets a reset
///   watch_end(t, place)             completes when the peer will send no more, whatever is unread;
///                                   with end_by_reset in its result if the connection is broken
///   cancel(t, which)                ends an operation early; that one still completes, with
///   ECANCELED
///                                   if it was in time
///   close(t, place)                 empties the place
///   poll(t, descriptor, readiness)  completes once when somebody else's descriptor is ready, or
///                                   has an error; the result is poll(2)'s revents
///   write(t, descriptor, bytes)     some of them, to somebody else's descriptor: at a file's end
///                                   if it is open for appending, else where the last one ended
///   watch(t, descriptor)            reads a counter (eventfd) once it is not zero, into watched()
///   wake(descriptor, amount)        counts such a counter up, from any thread
///   refuse(listener)                has whoever connects from now on refused
///   lease_bytes(lease), give_back   a leased buffer's memory, and its return
///   wait(deadline_ms, on_completion)  submits everything queued; sleeps until a completion or the
///                                   deadline (absolute, by now_ms; none: forever); hands all over
///   counters()                      what it has counted
///   now_ms()                        milliseconds of a clock that never goes back, wrapping at 2^32
///   now_ns()                        nanoseconds of the same clock, from another origin
///   unix_seconds()                  wall-clock time; all three as of the last wait
///   clock_ns()                      what now_ns() would be just now, which costs a clock's reading
template <class Ring>
concept ring = requires(Ring r, token t, std::uint32_t place, std::string_view bytes,
                        std::span<const std::string_view> parts, std::uint16_t lease,
                        const endpoint& address, accepted_name* who,
                        void (*on_completion)(const completion&), const std::uint32_t* deadline) {
  { r.open() } -> std::same_as<result<void>>;
  r.shut();
  r.accept(t, 0, place, who);
  { Ring::has_backlog(0) } -> std::same_as<bool>;
  r.connect(t, place, address);
  r.receive(t, place);
  r.receive_once(t, place);
  r.send(t, place, bytes);
  r.send_vector(t, place, parts);
  r.shutdown(t, place);
  r.disconnect(t, place);
  r.watch_end(t, place);
  r.cancel(t, t);
  r.close(t, place);
  r.poll(t, 0, readiness::readable);
  r.write(t, 0, bytes);
  r.watch(t, 0);
  { r.watched() } -> std::same_as<std::uint64_t>;
  Ring::wake(0, std::uint64_t{1});
  Ring::refuse(0);
  { r.lease_bytes(lease) } -> std::same_as<char*>;
  r.give_back(lease);
  r.wait(deadline, on_completion);
  { r.counters() } -> std::same_as<const ring_counters&>;
  { r.now_ms() } -> std::same_as<std::uint32_t>;
  { r.now_ns() } -> std::same_as<std::uint64_t>;
  { r.clock_ns() } -> std::same_as<std::uint64_t>;
  { r.unix_seconds() } -> std::same_as<std::int64_t>;
  { Ring::vector_parts_max } -> std::convertible_to<std::size_t>;
};

}  // namespace nen
