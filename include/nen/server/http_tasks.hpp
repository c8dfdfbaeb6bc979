// server, L3: what a handler that is a coroutine works with for as long as it runs: its request, a
// response that it may begin, leave and go on with, and its frame's owner.
#pragma once

#include <nen/config.hpp>
#include <nen/core/assert.hpp>
#include <nen/core/output.hpp>
#include <nen/core/pool.hpp>
#include <nen/http/deferred.hpp>
#include <nen/http/request.hpp>
#include <nen/http/response.hpp>
#include <nen/io/task.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>

namespace nen::detail {

/// One answer in memory of its own: a block for the head, and behind it room for a body.
template <std::uint32_t HeadBytes, std::uint32_t BodyBytes>
class kept_output final : public output {
 public:
  kept_output() noexcept : output(functions) { mark(*this); }

  /// Writes the answer behind what `to` has, as one message. @pre  a message was begun there
  void copy_to(output& to) const noexcept {
    const auto head =
        static_cast<std::size_t>(head_end_ != nullptr ? head_end_ - bytes_ : cursor_ - bytes_);
    char* const at = to.room(head);
    NEN_ASSERT(at != nullptr);  // it fits a block, and nothing is there before it
    std::memcpy(at, bytes_, head);
    to.advance_to(at + head);
    if (head_end_ != nullptr) {
      const char* const rest = bytes_ + HeadBytes;
      const bool fits = to.append({rest, static_cast<std::size_t>(cursor_ - rest)});
      NEN_ASSERT(fits);
    }
    to.attach({attached_, attached_bytes_});
  }

 private:
  static kept_output& self(output& o) noexcept { return static_cast<kept_output&>(o); }

  static void mark(output& o) noexcept {
    kept_output& k = self(o);
    k.cursor_ = k.bytes_;
    k.limit_ = k.bytes_ + HeadBytes;
    k.head_end_ = nullptr;
    k.attached_ = nullptr;
    k.attached_bytes_ = 0;
  }
  static void rewind(output&) noexcept {}  // a message begins at the first byte anyway
  static bool next_block(output& o) noexcept {
    kept_output& k = self(o);
    if (k.head_end_ != nullptr) return false;
    k.head_end_ = k.cursor_;
    k.cursor_ = k.bytes_ + HeadBytes;
    k.limit_ = k.cursor_ + BodyBytes;
    return true;
  }
  static void attach(output& o, std::string_view bytes) noexcept {
    self(o).attached_ = bytes.data();
    self(o).attached_bytes_ = bytes.size();
  }
  static constexpr block_owner functions = {mark, rewind, next_block, attach, HeadBytes, BodyBytes};

  char* head_end_;  // null exactly while everything is in the first block
  const char* attached_;
  std::size_t attached_bytes_;
  char bytes_[HeadBytes + BodyBytes];
};

/// Memory for an object that is there for a part of its slot's time.
template <class T>
struct storage {
  alignas(T) std::byte bytes[sizeof(T)];

  T& object() noexcept { return *std::launder(reinterpret_cast<T*>(bytes)); }
  template <class... Arguments>
  T& make(Arguments&&... arguments) noexcept {
    return *new (bytes) T(static_cast<Arguments&&>(arguments)...);
  }
};

/// One handler that is a coroutine.
template <config Config>
struct http_task : task_owner, task_ground {
  using output = kept_output<Config.send_slot_bytes, Config.response_bytes_max>;

  deferred_host* session;
  reply (*finish)(http_task&, nen::response&);  ///< takes the answer over
  std::uint32_t connection;                     ///< whose request it answers
  stream_callback producer;                     ///< of its answer, if it ended with a streamed one
  bool has_root;                                ///< true exactly while its frame is there
  bool has_ended;                               ///< true once there is an answer, or will be none
  task_end end;                                 ///< valid once it has ended
  storage<nen::request> its_request;
  storage<nen::response> its_response;
  storage<output> its_output;
  storage<task<reply>> root;
  char path[Config.target_bytes_max];  ///< values from it, decoded

  void destroy_root() noexcept {
    if (has_root) root.object().~task();
    has_root = false;
  }
};

/// The coroutines of one shard; where no handler is one, nothing.
template <config Config, bool Any>
struct http_task_slots {
  using task = http_task<Config>;
  static constexpr std::uint32_t count = Config.tasks;
  pool<task, Config.tasks> slots;
  nen::context* context;
};
template <config Config>
struct http_task_slots<Config, false> {
  static constexpr std::uint32_t count = 0;
};

}  // namespace nen::detail
