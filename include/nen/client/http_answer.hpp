// client, L3: what a server answered to a request, as who asked gets it.
#pragma once

#include <nen/client/http_fetch.hpp>
#include <nen/client/http_options.hpp>
#include <nen/http/fields.hpp>
#include <nen/http/response_message.hpp>
#include <nen/http/response_result.hpp>
#include <nen/http/status.hpp>
#include <nen/io/task.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace nen::http {

class client;

/// A part of a body.
struct part {
  std::string_view bytes;  ///< valid until the next read; empty exactly when there is none

  /// False at the end, or when something went wrong: answer::ok() tells which.
  explicit operator bool() const noexcept { return !bytes.empty(); }
};

/// An answer, or why there is none. It holds one of config::fetches slots as long as it lives, and
/// all that it gives lies in there.
class answer {
 public:
  /// None.
  answer() noexcept = default;
  explicit answer(fetch_error why) noexcept : error_(why) {}
  answer(answer&& other) noexcept
      : in_(other.in_), of_(std::exchange(other.of_, nullptr)), error_(other.error_) {}
  answer& operator=(answer&& other) noexcept {
    if (this == &other) return *this;
    let_go();
    in_ = other.in_;
    of_ = std::exchange(other.of_, nullptr);
    error_ = other.error_;
    return *this;
  }
  ~answer() { let_go(); }

  /// True when everything came that was asked for; whatever its status says. Of an answer that is
  /// read part by part: as long as nothing has gone wrong.
  [[nodiscard]] bool ok() const noexcept { return error() == fetch_error::none; }
  explicit operator bool() const noexcept { return ok(); }
  [[nodiscard]] fetch_error error() const noexcept { return of_ ? of_->error() : error_; }
  /// What is wrong with an answer that is no HTTP.
  [[nodiscard]] response_fault fault() const noexcept {
    return of_ ? of_->fault() : response_fault::none;
  }

  /// True when there is a head, whatever went wrong behind it. Without one the status is 0, and
  /// there are no fields.
  [[nodiscard]] bool has_head() const noexcept { return of_ != nullptr && of_->has_head(); }
  [[nodiscard]] nen::status status() const noexcept {
    return has_head() ? of_->message().status() : nen::status{};
  }
  [[nodiscard]] int code() const noexcept { return static_cast<int>(status()); }
  /// True for 2xx, RFC 9110 §15.3, and ok().
  [[nodiscard]] bool is_successful() const noexcept {
    return ok() && has_head() && of_->message().is_successful();
  }
  [[nodiscard]] nen::fields fields() const noexcept {
    return has_head() ? of_->message().fields() : nen::fields{};
  }
  /// @returns the value of the first field of this name (compared without case), or nothing
  [[nodiscard]] std::optional<std::string_view> field(std::string_view name) const noexcept {
    return fields().find(name);
  }
  /// The body, where it was gathered.
  [[nodiscard]] std::string_view body() const noexcept {
    return has_head() ? of_->message().body() : std::string_view{};
  }
  /// The fields behind a chunked body, once all of that was read.
  [[nodiscard]] nen::fields trailers() const noexcept {
    return has_head() && of_->is_complete() ? of_->message().trailers() : nen::fields{};
  }
  /// The URL that was asked for last, when redirections were followed.
  [[nodiscard]] std::string_view url() const noexcept {
    return of_ != nullptr ? of_->url_text() : std::string_view{};
  }

  /// Awaited, gives the next part of a body that is not gathered: `while (auto part = co_await
  /// answer.read())`. Nothing more is received than what is asked for. Read to its end, it gives
  /// the connection back for others.
  [[nodiscard]] inline task<part> read() noexcept;

 private:
  friend class client;

  answer(client& in, detail::fetch& of) noexcept : in_(&in), of_(&of) {}
  inline void let_go() noexcept;

  client* in_ = nullptr;
  detail::fetch* of_ = nullptr;
  fetch_error error_ = fetch_error::stopped;  // where there is no fetch
};

}  // namespace nen::http

#include <nen/client/http_client.hpp>
