// hiredis on nen's loop: it reads and writes its own socket, and the coroutine waits for that with
// context::readable and writable. libpq's or any other library's socket is waited for in the same
// way. What hiredis needs of the heap is its own affair.
#pragma once

#include <nen/nen.hpp>

#include <hiredis.h>

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

namespace example {

/// A few connections to one Redis server, each lent to one coroutine at a time.
class redis_pool {
 public:
  redis_pool() = default;
  redis_pool(const redis_pool&) = delete;
  redis_pool& operator=(const redis_pool&) = delete;
  ~redis_pool() {
    for (redisContext* c : idle_)
      if (c != nullptr) redisFree(c);
  }

  void set_address(const char* host, int port) noexcept {
    host_ = host;
    port_ = port;
  }

  /// INCR, within the time.
  /// @returns  the counter's new value; nothing when Redis does not answer
  nen::task<std::optional<std::int64_t>> increment(nen::context& ctx, std::string_view name,
                                                   std::uint32_t timeout_ms) {
    const nen::tick until = ctx.now_ms() + timeout_ms;
    connection c(*this);
    if (!c) co_return std::nullopt;
    redisAppendCommand(c.get(), "INCR hits:%b", name.data(), name.size());
    for (int sent = 0; sent == 0;) {
      // The first write also finds out how connecting has ended, so the socket has to be ready.
      const auto ready = co_await ctx.writable(c.get()->fd, left(ctx, until));
      if (ready != nen::poll_outcome::ready || redisBufferWrite(c.get(), &sent) != REDIS_OK)
        co_return std::nullopt;
    }
    void* answer = nullptr;
    while (answer == nullptr) {
      const auto ready = co_await ctx.readable(c.get()->fd, left(ctx, until));
      if (ready != nen::poll_outcome::ready || redisBufferRead(c.get()) != REDIS_OK ||
          redisGetReplyFromReader(c.get(), &answer) != REDIS_OK)
        co_return std::nullopt;
    }
    auto* const reply = static_cast<redisReply*>(answer);
    std::optional<std::int64_t> value;
    if (reply->type == REDIS_REPLY_INTEGER) value = reply->integer;
    freeReplyObject(reply);
    c.keep();
    co_return value;
  }

 private:
  /// A connection in use. One whose command did not end well is closed: what would come on it next
  /// could be the answer to that.
  class connection {
   public:
    explicit connection(redis_pool& from) noexcept : from_(from) {
      for (redisContext*& kept : from.idle_)
        if (kept != nullptr && context_ == nullptr) context_ = std::exchange(kept, nullptr);
      if (context_ == nullptr) context_ = redisConnectNonBlock(from.host_, from.port_);
    }
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection() {
      if (context_ != nullptr) redisFree(context_);
    }
    explicit operator bool() const noexcept { return context_ != nullptr && context_->err == 0; }
    redisContext* get() const noexcept { return context_; }
    void keep() noexcept {
      for (redisContext*& place : from_.idle_)
        if (place == nullptr && context_ != nullptr) place = std::exchange(context_, nullptr);
    }

   private:
    redis_pool& from_;
    redisContext* context_ = nullptr;
  };

  static std::uint32_t left(nen::context& ctx, nen::tick until) noexcept {
    return nen::tick_before(ctx.now_ms(), until) ? until - ctx.now_ms() : 1;
  }

  std::array<redisContext*, 8> idle_{};
  const char* host_ = "127.0.0.1";
  int port_ = 6379;
};

}  // namespace example
