// Asks a router as a server does, without one: a request of given parts goes in, the response's
// bytes come out.
#pragma once

#include <array>
#include <cstring>
#include <initializer_list>
#include <nen/http/router.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace nen::test {

/// One block of memory for a response.
class memory_output : public nen::output {
 public:
  memory_output() : nen::output(owner) {
    cursor_ = block_.data();
    limit_ = cursor_ + block_.size();
  }
  std::string bytes() const {
    return std::string(block_.data(), static_cast<const char*>(cursor_));
  }

 private:
  static memory_output& self(nen::output& out) { return static_cast<memory_output&>(out); }
  static const block_owner owner;

  std::array<char, 4096> block_{};
  char* mark_ = nullptr;
};

inline const memory_output::block_owner memory_output::owner{
    .mark = [](nen::output& out) noexcept { self(out).mark_ = self(out).cursor_; },
    .rewind = [](nen::output& out) noexcept { self(out).cursor_ = self(out).mark_; },
    .next_block = [](nen::output&) noexcept { return false; },
    .attach = [](nen::output& out,
                 std::string_view bytes) noexcept { static_cast<void>(out.append(bytes)); },
    .block_bytes = 4096,
    .body_bytes_max = 3072,
};

/// A response as a client reads it.
struct answer {
  int status = 0;
  std::string body;
  std::string head;

  /// The value of a field of the head, or "(none)".
  std::string field(const std::string& name) const {
    const auto line = head.find("\r\n" + name + ": ");
    if (line == std::string::npos) return "(none)";
    const auto begin = line + 2 + name.size() + 2;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

inline answer parse(const std::string& bytes) {
  const auto end = bytes.find("\r\n\r\n");
  answer result;
  result.status = std::stoi(bytes.substr(std::strlen("HTTP/1.1 "), 3));
  result.head = bytes.substr(0, end + 2);
  result.body = bytes.substr(end + 4);
  return result;
}

/// A request and all the memory that it looks at.
class owned_request {
 public:
  owned_request(nen::method m, std::string_view target, std::string_view body = {},
                std::initializer_list<nen::field> fields = {})
      : bytes_(target), body_(body) {
    const auto query = target.find('?');
    head_.method = m;
    head_.target_size = static_cast<std::uint16_t>(target.size());
    head_.path_size =
        static_cast<std::uint16_t>(query == std::string_view::npos ? target.size() : query);
    head_.version_minor = 1;
    for (const nen::field& f : fields) {
      nen::field_ref ref{};
      ref.name_begin = static_cast<std::uint16_t>(bytes_.size());
      ref.name_size = static_cast<std::uint16_t>(f.name.size());
      bytes_ += f.name;
      ref.value_begin = static_cast<std::uint16_t>(bytes_.size());
      ref.value_size = static_cast<std::uint16_t>(f.value.size());
      bytes_ += f.value;
      refs_.push_back(ref);
    }
    head_.field_count = static_cast<std::uint16_t>(refs_.size());
  }
  nen::request view() const { return {head_, bytes_.data(), refs_.data(), body_}; }

 private:
  nen::request_head head_{};
  std::string bytes_;
  std::vector<nen::field_ref> refs_;
  std::string body_;
};

inline constexpr nen::response_defaults no_defaults{""};

/// Sends a request through the router. The scratch is exactly as long as dispatch asks for, so that
/// a sanitizer sees a byte too many.
template <class Routes, class... State>
answer ask(const owned_request& owned, State&... states) {
  const nen::request req = owned.view();
  memory_output out;
  nen::response res(out, no_defaults, {.without_body = req.method() == nen::method::head});
  if constexpr (Routes::decorates)
    nen::detail::response_access::decorate(res, &Routes::decorate, req);
  std::vector<char> scratch(req.path().size());
  static_cast<void>(Routes::dispatch(req, res, nen::state_refs<State...>{states...}, scratch));
  return parse(out.bytes());
}

template <class Routes, class... State>
answer get(std::string_view target, State&... states) {
  return ask<Routes>(owned_request(nen::method::get, target), states...);
}

}  // namespace nen::test
