// server, L3: writes the dashboard's numbers as JSON, in messages of bounded length, however many
// routes or shards there are.
#pragma once

#include <nen/core/ascii.hpp>
#include <nen/core/assert.hpp>
#include <nen/server/websocket_peer.hpp>
#include <nen/ws/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace nen::detail {

/// Lists of items, each in as many messages as it takes:
/// {"kind":"pools","of":0,"first":7,"rows":[[1,2],[3,4]]}, where `first` counts the items before.
class dashboard_rows {
 public:
  /// What is tried, and what a server has to take at least (config::response_bytes_max).
  static constexpr std::size_t bytes_at_first = 4000;
  static constexpr std::size_t bytes_at_least = 1000;

  /// @param bytes_max  of one message
  dashboard_rows(const ws::peer& to, std::size_t bytes_max) noexcept
      : to_(to), bytes_max_(bytes_max) {
    NEN_ASSERT(bytes_max >= bytes_at_least && bytes_max <= bytes_at_first);
  }

  /// Starts a list. @param kind  plain letters, as is every name here
  void begin(std::string_view kind, std::uint64_t of = 0) noexcept {
    kind_ = kind;
    of_ = of;
    items_ = 0;
    begin_message();
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
  dashboard_rows& text(std::string_view value) noexcept {
    separate();
    put("\"");
    put_escaped(value);
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
    std::memcpy(bytes_ + size_, tail.data(), tail.size());
    send({bytes_, size_ + tail.size()});
  }

  /// One message that is no list.
  void send(std::string_view message) noexcept {
    if (result_ == ws::send_result::sent) result_ = to_.send(message);
  }
  /// Of the first message that was not sent; nothing was tried after it.
  ws::send_result result() const noexcept { return result_; }

 private:
  static constexpr std::string_view tail = "]}";
  static constexpr std::size_t text_bytes_max = 300;  // of one text: items are to fit a message

  void begin_message() noexcept {
    size_ = 0;
    append("{\"kind\":\"");
    append(kind_);
    append("\",\"of\":");
    append_number(of_);
    append(",\"first\":");
    append_number(items_);
    append(",\"rows\":[");
    item_ = first_ = size_;
  }
  void begin_item() noexcept {
    if (size_ != first_) put(",");
    item_ = size_;
    ++items_;
  }
  void separate() noexcept {
    if (size_ != item_ && bytes_[size_ - 1] != '[') put(",");
  }
  void put(std::string_view part) noexcept {
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
    end();
    --items_;
    begin_message();
    ++items_;
    append({kept, size});
  }
  void put_escaped(std::string_view value) noexcept {
    const bool is_utf8 = value.size() <= text_bytes_max && ws::is_utf8(value);
    std::size_t written = 0;
    for (const char& c : value) {
      if (written > text_bytes_max) return;
      const auto byte = static_cast<unsigned char>(c);
      char escape[] = "\\u0000";
      if (byte < 0x20) {
        constexpr std::string_view hex = "0123456789abcdef";
        escape[4] = hex[byte >> 4];
        escape[5] = hex[byte & 15];
        put({escape, 6});
        written += 6;
      } else {
        if (c == '"' || c == '\\') put("\\"), ++written;
        put(byte < 0x80 || is_utf8 ? std::string_view(&c, 1) : "?");
        ++written;
      }
    }
  }
  void append(std::string_view part) noexcept {
    NEN_ASSERT(size_ + part.size() + tail.size() <= sizeof bytes_);
    std::memcpy(bytes_ + size_, part.data(), part.size());
    size_ += part.size();
  }
  void append_number(std::uint64_t value) noexcept {
    char digits[decimal_digits_max];
    append({digits, static_cast<std::size_t>(write_decimal(digits, value) - digits)});
  }

  const ws::peer& to_;
  const std::size_t bytes_max_;
  ws::send_result result_ = ws::send_result::sent;
  std::string_view kind_;
  std::uint64_t of_ = 0;
  std::uint64_t items_ = 0;
  std::size_t first_ = 0;  // where the first item begins
  std::size_t item_ = 0;   // and the one in hand
  std::size_t size_ = 0;
  char bytes_[bytes_at_first];
};

}  // namespace nen::detail
