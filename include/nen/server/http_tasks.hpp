// server, L3: what a handler that is a coroutine works with for as long as it runs: its request, a
// response that it may begin, leave and go on with, and its frame's owner.
#pragma once

#include <nen/config.hpp>
#include <nen/core/assert.hpp>
#include <nen/core/output.hpp>
#include <nen/core/pool.hpp>
#include <nen/http/body_part.hpp>
#include <nen/http/body_stream.hpp>
#include <nen/http/deferred.hpp>
#include <nen/http/request.hpp>
#include <nen/http/response.hpp>
#include <nen/io/exchange.hpp>
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

  /// Takes over a message that was begun elsewhere.
  template <class Writer>
  void take_over(const Writer& from) noexcept {
    begin_message();
    std::size_t appended = 0;
    from.read_message([&](std::string_view part, std::string_view attached_behind) {
      if (cursor_ == bytes_) {  // the head, and maybe some of the body: all of it is counted below
        std::memcpy(room(part.size()), part.data(), part.size());
        advance_to(cursor_ + part.size());
      } else {
        const bool fits = append(part);
        NEN_ASSERT(fits);
        appended += part.size();
      }
      output::attach(attached_behind);
    });
    const bool fits = count(from.body_bytes_max() - from.body_left() - appended);
    NEN_ASSERT(fits);
  }

  /// Writes the answer behind what `to` has, as one message. @pre  a message was begun there
  void copy_to(output& to) const noexcept {
    const auto head =
        static_cast<std::size_t>(head_end_ != nullptr ? head_end_ - bytes_ : cursor_ - bytes_);
    if (head == 0) return;  // nothing was written: an exception left the coroutine, for example
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
struct http_task : task_owner, task_ground, http_exchange {
  using output = kept_output<Config.send_slot_bytes, Config.response_bytes_max>;

  deferred_host* session;
  /// Takes over its answer, or the head of it if that is streamed.
  reply (*finish)(http_task&, nen::response&);
  void (*produce)(http_task&, body_stream&);
  reply (*consume)(http_task&, const body_part&, nen::response&);
  std::uint32_t connection;  ///< whose request it answers
  stream_callback producer;  ///< of its answer, if it ended with a streamed one
  bool has_root;             ///< true exactly while its frame is there
  bool is_set_aside;         ///< true once its answer is in its_output
  bool has_ended;            ///< true once there is an answer, or will be none
  bool is_fed;               ///< true exactly while the session resumes it
  task_end end;              ///< valid once it has ended
  storage<nen::request> request_kept;
  storage<nen::response> response_kept;
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
  void* answering;  ///< the peer whose request is about to be answered; null otherwise
  bool came_whole;  ///< whether all of that has come
};
template <config Config>
struct http_task_slots<Config, false> {
  static constexpr std::uint32_t count = 0;
};

}  // namespace nen::detail
