// io, L2: what a handler that is a coroutine awaits of its own request and of its own answer: the
// next part of the one's body, and room for more of the other's.
#pragma once

#include <nen/core/assert.hpp>
#include <nen/http/request.hpp>
#include <nen/http/response.hpp>
#include <nen/io/context.hpp>
#include <nen/io/task.hpp>

#include <coroutine>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nen {

class body_writer;

namespace detail {

class room_wait;
class part_wait;

/// A request and its answer, as the coroutine that handles the one and writes the other sees them.
struct http_exchange {
  enum class answer_is : std::uint8_t {
    whole,   ///< given at the coroutine's end
    open,    ///< streamed: its head is written
    unread,  ///< streamed, to somebody who wants no body
  };
  struct functions {
    /// `writing` waits for room in an answer that is open.
    void (*want_room)(http_exchange&);
    /// `reading` waits for bytes.
    void (*want_part)(http_exchange&);
    bool (*draining)(const http_exchange&) noexcept;
  };
  const functions* ask;
  room_wait* writing;  ///< null: the coroutine does not wait for room, or for its stream to open
  part_wait* reading;  ///< null: it does not wait for a part
  const request* its_request;
  response* its_response;
  answer_is answer;
  bool came_whole;    ///< true exactly when the body came with the head
  bool body_is_over;  ///< true once its last part was given
  bool holds_part;    ///< true exactly while the coroutine may look at a part that it was given
};

/// Waits for room, with what is to be written into it.
class room_wait {
 public:
  room_wait(const room_wait&) = delete;
  room_wait& operator=(const room_wait&) = delete;
  ~room_wait() {
    if (of_ != nullptr && of_->writing == this) of_->writing = nullptr;
  }

  std::string_view left() const noexcept { return left_; }
  void written(std::size_t bytes) noexcept { left_.remove_prefix(bytes); }
  /// True when the answer is to become a stream of this type.
  bool opens() const noexcept { return opens_; }
  std::string_view content_type() const noexcept { return content_type_; }

  /// Called outside of every coroutine. This object may be gone afterwards.
  void go_on() {
    of_->writing = nullptr;
    waiter_.resume();
  }

 protected:
  room_wait(http_exchange* of, std::string_view bytes) noexcept : of_(of), left_(bytes) {}
  explicit room_wait(std::string_view content_type) noexcept
      : of_(nullptr), content_type_(content_type), opens_(true) {}

  template <class Promise>
  void wait(std::coroutine_handle<Promise> awaiting, http_exchange& of) noexcept {
    NEN_ASSERT(of.writing == nullptr);  // one coroutine writes a body at a time
    of_ = &of;
    of.writing = this;
    waiter_.wait_as(awaiting);
  }

  http_exchange* of_;

 private:
  std::string_view left_{};
  std::string_view content_type_{};
  bool opens_ = false;
  waiter waiter_{};
};

class body_write : public room_wait {
 public:
  body_write(http_exchange& of, std::string_view bytes) noexcept : room_wait(&of, bytes) {}

  bool await_ready() const noexcept {
    return of_->answer == http_exchange::answer_is::unread || left().empty();
  }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> awaiting) {
    wait(awaiting, *of_);
    of_->ask->want_room(*of_);
  }
  void await_resume() const noexcept {}
};

class body_opening : public room_wait {
 public:
  body_opening(context_host& host, response& res, std::string_view content_type) noexcept
      : room_wait(content_type), host_(host), response_(res) {}

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    http_exchange& of = host_.exchange_of(host_, owner_of(awaiting));
    NEN_ASSERT(of.its_response == &response_);  // a handler streams its own answer, once,
    NEN_ASSERT(of.answer == http_exchange::answer_is::whole);
    NEN_ASSERT(of.came_whole || of.body_is_over);  // and when it has read what was sent
    wait(awaiting, of);
  }
  inline body_writer await_resume() const noexcept;

 private:
  context_host& host_;
  response& response_;
};

class part_wait {
 public:
  part_wait(context_host& host, const request& req) noexcept : host_(host), request_(req) {}
  part_wait(const part_wait&) = delete;
  part_wait& operator=(const part_wait&) = delete;
  ~part_wait() {
    if (of_ != nullptr && of_->reading == this) of_->reading = nullptr;
  }

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) {
    http_exchange& of = host_.exchange_of(host_, owner_of(awaiting));
    NEN_ASSERT(of.its_request == &request_);  // a handler reads its own request
    NEN_ASSERT(of.reading == nullptr);        // one coroutine at a time
    of.holds_part = false;
    if (of.body_is_over) return false;
    if (of.came_whole) {
      of.body_is_over = true;
      if (!request_.body().empty()) part_ = request_.body();
      return false;
    }
    of_ = &of;
    of.reading = this;
    waiter_.wait_as(awaiting);
    of.ask->want_part(of);
    return true;
  }
  std::optional<std::string_view> await_resume() const noexcept { return part_; }

  /// Called outside of every coroutine. This object may be gone afterwards.
  /// @param part  nothing: the body has ended
  void go_on(std::optional<std::string_view> part) {
    part_ = part;
    of_->reading = nullptr;
    waiter_.resume();
  }

 private:
  context_host& host_;
  const request& request_;
  http_exchange* of_ = nullptr;
  std::optional<std::string_view> part_;
  waiter waiter_{};
};

}  // namespace detail

/// The body of an answer that a coroutine streams, see context::stream.
class body_writer {
 public:
  explicit body_writer(detail::http_exchange& of) noexcept : of_(&of) {}

  /// Awaited, ends when all bytes are on their way; they have to stay until then. It waits while
  /// the client has not read what was written before. Whoever awaits it is destroyed when the
  /// client leaves.
  [[nodiscard]] detail::body_write write(std::string_view bytes) noexcept { return {*of_, bytes}; }

  /// True when the server stops: a body without an end of its own ends now. It is cut off when
  /// listen_options::drain_timeout has passed, and its client sees that it is not whole.
  [[nodiscard]] bool draining() const noexcept { return of_->ask->draining(*of_); }

  /// The body has ended: what the handler returns.
  [[nodiscard]] reply end() noexcept {
    return detail::response_access::reply_of(*of_->its_response);
  }

 private:
  detail::http_exchange* of_;
};

inline body_writer detail::body_opening::await_resume() const noexcept { return body_writer(*of_); }

inline detail::body_opening context::stream(response& res,
                                            std::string_view content_type) const noexcept {
  return {*host_, res, content_type};
}
inline detail::part_wait context::next_part(const request& req) const noexcept {
  return {*host_, req};
}

}  // namespace nen
