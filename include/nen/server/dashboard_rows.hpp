// server, L3: writes the dashboard's numbers as JSON, in messages of bounded length, however many
// routes or shards there are.
#pragma once

#include <nen/core/ascii.hpp>
#include <nen/core/assert.hpp>
#include <nen/server/websocket_peer.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace nen::detail {

/// How far an answer got: what comes next is this item of this list.
struct dashboard_place {
  std::uint32_t list;
  std::uint64_t item;
};

/// Lists of items, each in as many messages as it takes:
/// {"kind":"pools","of":0,"first":7,"rows":[[1,2],[3,4]]}, where `first` counts the items before.
/// Where the peer is behind, nothing more is sent; the same lists, written again from the same
/// place, go on with what is missing.
class dashboard_rows {
 public:
  /// What is tried, and what a server has to take at least (config::response_bytes_max).
  static constexpr std::size_t bytes_at_first = 4000;
  static constexpr std::size_t bytes_at_least = 1000;

  /// @param bytes_max  of one message
  /// @param place      where to begin; in the end how far it got
  dashboard_rows(const ws::peer& to, std::size_t bytes_max, dashboard_place& place) noexcept
      : to_(to), bytes_max_(bytes_max), place_(place) {
    NEN_ASSERT(bytes_max >= bytes_at_least && bytes_max <= bytes_at_first);
  }

  /// Starts a list. @param kind  plain letters, as is every name here
  void begin(std::string_view kind, std::uint64_t of = 0) noexcept {
    kind_ = kind;
    of_ = of;
    items_ = 0;
    is_left_out_ = list_ < place_.list;
    begin_message(is_left_out_ ? 0 : place_.item);
  }
  /// Starts an item that is an array; it ends with close().
  dashboard_rows& open() noexcept {
    begin_item();
    put("[");
    return *this;
  }
  dashboard_rows& number(std::uint64_t value) noexcept {
    separate();
    char digits[decimal_digits_max];
    put({digits, static_cast<std::size_t>(write_decimal(digits, value) - digits)});
    return *this;
  }
  /// @param value  names of nen's own and patterns of routes: there is nothing to be escaped in
  ///               them (see nen::pattern). Of long ones the beginning is shown
  dashboard_rows& text(std::string_view value) noexcept {
    separate();
    put("\"");
    put(value.substr(0, text_bytes_max));
    put("\"");
    return *this;
  }
  void close() noexcept { put("]"); }
  /// An item that is a number.
  void item(std::uint64_t value) noexcept {
    begin_item();
    number(value);
  }
  void end() noexcept {
    if (list_++ < place_.list) return;
    if (send_message()) place_ = {list_, 0};
  }

  /// Of the first message that was not sent; nothing was tried after it.
  ws::send_result result() const noexcept { return result_; }

 private:
  static constexpr std::string_view tail = "]}";
  static constexpr std::size_t text_bytes_max = 300;  // of one text: items are to fit a message

  void begin_message(std::uint64_t first) noexcept {
    size_ = 0;
    append("{\"kind\":\"");
    append(kind_);
    append("\",\"of\":");
    append_number(of_);
    append(",\"first\":");
    append_number(first);
    append(",\"rows\":[");
    item_ = first_ = size_;
  }
  void begin_item() noexcept {
    is_left_out_ = list_ < place_.list || items_ < place_.item;
    if (size_ != first_) put(",");
    item_ = size_;
    ++items_;
  }
  void separate() noexcept {
    if (size_ != item_ && bytes_[size_ - 1] != '[') put(",");
  }
  void put(std::string_view part) noexcept {
    if (is_left_out_ || result_ != ws::send_result::sent) return;
    if (size_ + part.size() + tail.size() > bytes_max_) break_before_item();
    append(part);
  }
  /// Sends what is before the item in hand, which goes on in the next message.
  void break_before_item() noexcept {
    NEN_ASSERT(item_ > first_);
    char kept[bytes_at_first];
    const std::size_t size = size_ - item_;
    std::memcpy(kept, bytes_ + item_, size);
    size_ = item_ - 1;  // without the comma
    if (send_message()) place_.item = items_ - 1;
    begin_message(items_ - 1);
    append({kept, size});
  }
  bool send_message() noexcept {
    if (result_ != ws::send_result::sent) return false;
    std::memcpy(bytes_ + size_, tail.data(), tail.size());
    result_ = to_.send(std::string_view(bytes_, size_ + tail.size()));
    return result_ == ws::send_result::sent;
  }
  void append(std::string_view part) noexcept {
    NEN_ASSERT(size_ + part.size() + tail.size() <= sizeof bytes_);
    if (!part.empty()) std::memcpy(bytes_ + size_, part.data(), part.size());
    size_ += part.size();
  }
  void append_number(std::uint64_t value) noexcept {
    char digits[decimal_digits_max];
    append({digits, static_cast<std::size_t>(write_decimal(digits, value) - digits)});
  }

  const ws::peer& to_;
  const std::size_t bytes_max_;
  dashboard_place& place_;
  ws::send_result result_ = ws::send_result::sent;
  std::string_view kind_;
  std::uint64_t of_ = 0;
  std::uint32_t list_ = 0;    // which one it is
  std::uint64_t items_ = 0;   // of it, the one in hand included
  bool is_left_out_ = false;  // what is being written was sent before
  std::size_t first_ = 0;     // where the first item begins
  std::size_t item_ = 0;      // and the one in hand
  std::size_t size_ = 0;
  char bytes_[bytes_at_first];
};

}  // namespace nen::detail
