// For tests of what reads requests: one that is put together from its parts, without a parser.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nen/http/request.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nen::test {

using field_lines = std::vector<std::pair<std::string_view, std::string_view>>;

class made_request {
 public:
  explicit made_request(nen::method m, const field_lines& lines = {}, std::string_view query = {},
                        std::string_view body = {})
      : body_(body) {
    head_.method = m;
    head_.query_begin = put(query);
    head_.query_size = static_cast<std::uint16_t>(query.size());
    for (const auto& [name, value] : lines) {
      const std::uint16_t name_at = put(name);
      refs_.push_back({name_at, static_cast<std::uint16_t>(name.size()), put(value),
                       static_cast<std::uint16_t>(value.size())});
    }
    head_.field_count = static_cast<std::uint16_t>(lines.size());
  }

  nen::request view() const { return {head_, bytes_.data(), refs_.data(), body_}; }

 private:
  std::uint16_t put(std::string_view text) {
    const auto at = static_cast<std::uint16_t>(bytes_.size());
    bytes_ += text;
    return at;
  }

  nen::request_head head_{};
  std::string bytes_;
  std::string body_;
  std::vector<nen::field_ref> refs_;
};

}  // namespace nen::test
