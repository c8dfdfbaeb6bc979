// What a response writes: whatever bytes an application passes, a strict reader finds the lines
// that were asked for and no others, and the body that was written; or else one whole 500. The
// input is a program: how the answer is framed, then one call after the other.
#include <bit>
#include <cstdint>
#include <nen/http/cookie.hpp>
#include <nen/http/json.hpp>
#include <nen/http/response.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fuzz/fuzz.hpp"
#include "fuzz/json_reader.hpp"
#include "fuzz/strict_reader.hpp"
#include "support/memory_output.hpp"

using namespace nen;
using namespace nen::test::fuzz;

namespace {

constexpr std::string_view common_lines = "Date: now\r\n";

bool is_allowed_value(std::string_view value) {
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7f) return false;
  }
  return true;
}

bool is_allowed_name(std::string_view name) {
  std::string lower;
  for (const char c : name) lower += to_lower(c);
  return is_token(name) && lower != "content-length" && lower != "content-type" &&
         lower != "connection" && lower != "transfer-encoding";
}

/// Has a response written, and keeps what was asked of it.
class application {
 public:
  explicit application(choices& from)
      : from_(from),
        framing_(read_framing(from)),
        block_bytes_(256 + 8 * std::size_t{from.byte()}),
        body_bytes_max_(from.byte() * std::size_t{8} + 64),
        out_(block_bytes_, body_bytes_max_),
        res_(out_, defaults_, framing_) {}

  void run() {
    for (int calls = 0; calls < 16 && change(); ++calls) {
    }
    answer();
    NEN_PROPERTY(res_.finished());
    check();
  }

 private:
  static response_framing read_framing(choices& from) {
    const std::uint8_t flags = from.byte();
    return {.without_body = (flags & 1) != 0,
            .keep_alive = (flags & 2) == 0,
            .http_1_0 = (flags & 4) != 0};
  }

  status any_status() {
    const std::size_t kind = from_.below(4);
    if (kind == 0) return status::ok;
    const unsigned code = kind == 1 ? 200U + from_.byte() : 100U + 4U * from_.byte();
    return static_cast<status>(code <= 999 ? code : 999);
  }

  void refuse_unless(bool allowed) { refused_ = refused_ || !allowed; }

  void ask_for(std::string_view name, std::string_view value) {
    asked_.emplace_back(name, trim_ows(value));
    head_bytes_ += name.size() + value.size() + 4;
  }

  /// One call that does not answer. @returns false when it is time to answer
  bool change() {
    switch (from_.below(8)) {
      case 0:
      case 1: {
        const std::string_view name = from_.text();
        const std::string_view value = from_.text();
        res_.field(name, value);
        refuse_unless(is_allowed_name(name) && is_allowed_value(value));
        ask_for(name, value);
        return true;
      }
      case 2: {
        const std::string_view value = from_.text();
        res_.field("X-Fixed", value);
        refuse_unless(is_allowed_value(value));
        ask_for("X-Fixed", value);
        return true;
      }
      case 3:
        code_ = any_status();
        res_.set_status(code_);
        return true;
      case 4:
        res_.close();
        closes_ = true;
        return true;
      case 5: {
        const std::string_view value = from_.text();
        set_cookie(res_, {.name = "c", .value = value});
        refuse_unless(check_cookie({.name = "c", .value = value}) == cookie_fault::none);
        ask_for("Set-Cookie", "c=" + std::string(value));
        return true;
      }
      case 6:
        if (from_.below(4) != 0) return true;
        res_.start_over();
        asked_.clear();
        head_bytes_ = 0;
        code_ = status::ok;
        refused_ = false;
        return true;
      default:
        return false;
    }
  }

  void answer() {
    switch (from_.below(8)) {
      case 0:
        type_ = "text/plain; charset=utf-8";
        return static_cast<void>(res_.text(body_ = from_.rest()));
      case 1:
        type_ = from_.text();
        return static_cast<void>(res_.send(type_, body_ = from_.rest()));
      case 2:
        is_static_ = true;
        type_ = from_.text();
        return static_cast<void>(res_.send_static(type_, body_ = from_.rest()));
      case 3:
        return redirect();
      case 4:
        type_ = "text/plain; charset=utf-8";
        code_ = any_status();
        body_ = reason_phrase(code_);
        return static_cast<void>(res_.status(code_));
      case 5:
        return write_parts();
      default:
        return answer_with_json();
    }
  }

  void redirect() {
    const std::string_view location = from_.text();
    code_ = any_status();
    refuse_unless(is_allowed_value(location));
    ask_for("Location", location);
    static_cast<void>(res_.redirect(location, code_));
  }

  void write_parts() {
    is_begun_ = true;
    type_ = from_.text();
    res_.begin(type_);
    while (!from_.empty()) {
      const std::string_view part = from_.text();
      res_.write(part);
      body_ += part;
    }
    static_cast<void>(res_.finish());
  }

  void answer_with_json() {
    type_ = "application/json";
    name_ = from_.text();
    text_ = from_.text();
    integer_ = static_cast<std::int64_t>(std::uint64_t{from_.number()} << 32 | from_.number());
    real_ = std::bit_cast<double>(std::uint64_t{from_.number()} << 32 | from_.number());
    is_json_ = is_begun_ = true;
    if (real_ - real_ != 0) real_ = 0.1;  // an infinity or NaN would become null
    const std::string_view text = text_;
    static_cast<void>(
        res_.json({{name_, text}, {"i", integer_}, {"u", ~std::uint64_t{0}}, {"r", real_}}));
  }

  void check() {
    const read_response seen = [&] {
      const std::string bytes = out_.text();
      const auto read = read_strictly(bytes, framing_.without_body);
      if (!read) fail(NEN_FUZZ_WHERE, "no strict reader takes " + shown(bytes));
      return *read;
    }();
    // Nothing that is not allowed goes out, and what is allowed does if there is room.
    refuse_unless(is_allowed_value(type_));
    if (refused_) NEN_PROPERTY(res_.was_replaced());
    if (res_.was_replaced()) {
      check_replacement(seen);
      return;
    }
    NEN_SAME(seen.code, static_cast<int>(code_));
    NEN_SAME(seen.reason, reason_phrase(code_));
    check_fields(seen);
    check_body(seen);
  }

  bool may_have_content() const {
    const auto code = static_cast<int>(code_);
    return code >= 200 && code != 204 && code != 205 && code != 304;
  }

  void check_replacement(const read_response& seen) {
    NEN_SAME(seen.code, 500);
    NEN_SAME(seen.fields.size(), 4U);  // Date, Content-Type, Content-Length, Connection
    NEN_SAME(seen.fields[3].second, "close");
    NEN_PROPERTY(!res_.keeps_alive());
    if (refused_) return;
    // Then it must have been too long for a block, or for all of them.
    const std::size_t lines = common_lines.size() + head_bytes_ + type_.size() + 160;
    const std::size_t copied = is_static_ ? 0
                               : is_json_ ? 6 * (name_.size() + text_.size()) + 100
                                          : body_.size();
    NEN_PROPERTY(lines > block_bytes_ || copied > body_bytes_max_);
  }

  void check_fields(const read_response& seen) {
    auto wanted = asked_;
    wanted.insert(wanted.begin(), {"Date", "now"});
    const auto code = static_cast<int>(code_);
    const bool has_length = code >= 200 && code != 204 && code != 304;
    const std::string_view type = trim_ows(type_);
    // A 205 has no content, but begin() cannot know that none will be written to it.
    if (has_length && (may_have_content() || is_begun_) && !type_.empty()) {
      wanted.emplace_back("Content-Type", type);
    }
    if (has_length) wanted.emplace_back("Content-Length", "");  // the reader judged the number
    const bool keeps = framing_.keep_alive && !closes_;
    NEN_SAME(res_.keeps_alive(), keeps);
    if (!keeps) wanted.emplace_back("Connection", "close");
    if (keeps && framing_.http_1_0) wanted.emplace_back("Connection", "keep-alive");
    for (std::size_t i = 0; i < wanted.size() && i < seen.fields.size(); ++i) {
      NEN_SAME(seen.fields[i].first, wanted[i].first);
      if (wanted[i].first != "Content-Length" || !wanted[i].second.empty()) {
        NEN_SAME(seen.fields[i].second, wanted[i].second);
      }
    }
    NEN_SAME(seen.fields.size(), wanted.size());
  }

  void check_body(const read_response& seen) {
    if (framing_.without_body || !may_have_content()) {
      NEN_SAME(seen.body, "");
      return;
    }
    if (!is_json_) {
      NEN_SAME(seen.body, body_);
      return;
    }
    const auto members = json_reader::read(seen.body);
    if (!members || members->size() != 4) fail(NEN_FUZZ_WHERE, "no such JSON: " + seen.body);
    NEN_SAME((*members)[0].first, name_);
    NEN_SAME((*members)[0].second, text_);
    NEN_SAME((*members)[1].second, std::to_string(integer_));
    NEN_SAME((*members)[2].second, std::to_string(~std::uint64_t{0}));
    const double back = std::strtod((*members)[3].second.c_str(), nullptr);
    NEN_SAME(std::bit_cast<std::uint64_t>(back), std::bit_cast<std::uint64_t>(real_));
  }

  choices& from_;
  response_framing framing_;
  std::size_t block_bytes_;
  std::size_t body_bytes_max_;
  response_defaults defaults_{common_lines};
  nen::test::memory_output out_;
  response res_;

  std::vector<std::pair<std::string, std::string>> asked_;
  std::size_t head_bytes_ = 0;  // of the fields asked for
  status code_ = status::ok;
  bool closes_ = false;
  bool refused_ = false;  // something that is not allowed was asked for
  std::string type_;
  std::string body_;
  bool is_static_ = false;
  bool is_json_ = false;
  bool is_begun_ = false;  // the head was complete before the body was known
  std::string name_, text_;
  std::int64_t integer_ = 0;
  double real_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > input_bytes_max) return 0;
  choices from(data, size);
  application(from).run();
  return 0;
}
