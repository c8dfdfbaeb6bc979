// server, L3: what the HTTP session keeps: requests that are not in one piece or not answered yet,
// bodies, and the field lines that all answers share.
#pragma once

#include <nen/config.hpp>
#include <nen/core/assert.hpp>
#include <nen/core/intrusive_list.hpp>
#include <nen/core/pool.hpp>
#include <nen/core/timer_wheel.hpp>
#include <nen/http/date.hpp>
#include <nen/http/deferred.hpp>
#include <nen/http/parser.hpp>
#include <nen/http/response.hpp>
#include <nen/server/event_log.hpp>

#include <cstdint>
#include <cstring>
#include <string_view>

namespace nen {

namespace detail {

struct incomplete_head_tag;

/// What a deferred answer waits for.
struct deferral {
  deferred_callback callback;  // none: only complete() answers
  tick call_at;                // valid with a callback
  tick give_up_at;             // valid with a handler timeout
};

/// A request that outlives the lease it came in: its head or its body came in pieces, or its answer
/// comes later.
template <std::uint32_t HeadBytes, std::uint16_t Fields>
struct head_slot : list_hook<incomplete_head_tag> {  // linked exactly while the
                                                     // head is incomplete
  std::uint32_t connection;
  std::uint32_t task;  // its handler, which is a coroutine, + 1; 0: none runs
  std::uint32_t used;
  deferral waits;                 // valid while the answer is deferred
  body_callback consumer;         // valid while the body is streamed
  std::uint32_t bytes_this_time;  // of that body, since its timeout was set
  request_parser_with<Fields> parser;
  char bytes[HeadBytes];
};

template <std::uint32_t Bytes>
struct body_slot {
  char bytes[Bytes];
};

/// An answer that is being streamed.
struct stream_slot {
  stream_callback producer;
  tick call_at;  // valid while it sleeps
  bool chunked;
  bool keep_alive;  // the connection goes on behind it
  bool rests;       // true exactly while the producer waits or sleeps
};

/// What a connection has in the store; zero: nothing.
struct kept_request {
  std::uint32_t head_slot;  // index + 1; 0 exactly when no request is kept
  std::uint32_t body_slot;  // index + 1; 0: none
  std::uint32_t stream;     // index + 1; 0 exactly when no answer is being streamed
};

/// The requests of one shard that are kept, each for its connection.
template <config Config>
class request_store {
 public:
  static constexpr auto fields_max = static_cast<std::uint16_t>(Config.fields_max);
  using slot = head_slot<Config.head_bytes_max, fields_max>;

  /// @returns  false when no slot is free
  bool take_head(kept_request& kept) noexcept { return take(heads_, kept.head_slot); }
  bool take_body(kept_request& kept) noexcept { return take(bodies_, kept.body_slot); }
  bool take_stream(kept_request& kept) noexcept { return take(streams_, kept.stream); }

  slot& head_of(const kept_request& kept) noexcept { return heads_[kept.head_slot - 1]; }
  char* body_of(const kept_request& kept) noexcept { return bodies_[kept.body_slot - 1].bytes; }

  stream_slot& stream_of(const kept_request& kept) noexcept { return streams_[kept.stream - 1]; }

  /// A head of which more is to come; the oldest one is the first to be given up.
  void set_incomplete(slot& head) noexcept { incomplete_.push_back(head); }
  void set_complete(slot& head) noexcept { incomplete_list::remove(head); }
  slot* oldest_incomplete() noexcept { return incomplete_.front(); }

  /// Gives back all but the stream.
  [[gnu::noinline]] void release_request(kept_request& kept) noexcept {
    if (kept.head_slot != 0) {
      slot& head = head_of(kept);
      if (head.linked()) incomplete_list::remove(head);
      heads_.release(kept.head_slot - 1);
    }
    if (kept.body_slot != 0) bodies_.release(kept.body_slot - 1);
    kept.head_slot = kept.body_slot = 0;
  }
  void release(kept_request& kept) noexcept {
    release_request(kept);
    if (kept.stream != 0) streams_.release(kept.stream - 1);
    kept.stream = 0;
  }

  const auto& heads() const noexcept { return heads_; }
  const auto& bodies() const noexcept { return bodies_; }
  const auto& streams() const noexcept { return streams_; }

 private:
  using incomplete_list = intrusive_list<slot, incomplete_head_tag>;

  template <class Pool>
  static bool take(Pool& from, std::uint32_t& link) noexcept {
    NEN_ASSERT(link == 0);
    const auto index = from.try_acquire();
    if (index == Pool::none) return false;
    link = index + 1;
    return true;
  }

  incomplete_list incomplete_;  // the oldest first
  pool<slot, Config.head_slots> heads_;
  pool<body_slot<Config.body_bytes_max>, Config.body_slots> bodies_;
  pool<stream_slot, Config.streams> streams_;
};

/// The field lines that all heads have in common, rendered once a second.
class common_lines {
 public:
  static constexpr std::size_t server_name_bytes_max = 64;

  /// @param server_name  for the Server field; empty: none
  void start(std::string_view server_name) noexcept {
    size_ = 0;
    if (!server_name.empty()) {
      append("Server: ");
      append(server_name);
      append("\r\n");
    }
    append("Date: ");
    date_at_ = size_;
    size_ += imf_fixdate_size;
    append("\r\n");
    second_ = -1;
  }

  response_defaults at(std::int64_t unix_seconds) noexcept {
    if (second_ != unix_seconds) [[unlikely]] {
      second_ = unix_seconds;
      write_imf_fixdate(text_ + date_at_, unix_seconds);
    }
    return {{text_, size_}};
  }

 private:
  void append(std::string_view text) noexcept {
    NEN_ASSERT(size_ + text.size() <= sizeof text_);
    std::memcpy(text_ + size_, text.data(), text.size());
    size_ += text.size();
  }

  std::int64_t second_;
  std::size_t size_;
  std::size_t date_at_;
  char text_[128];
};

}  // namespace detail

}  // namespace nen
