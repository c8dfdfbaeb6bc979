// The rules of http/head_rules.hpp alone. llhttp refuses much of what they refuse, and differs from
// version to version: here a splitter finds the parts of a head that lets everything through.
#include <nen/http/head_rules.hpp>

#include <array>
#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace {

using nen::status;

/// Finds the parts as the most lenient parser would: names are tokens, values end with their line
/// or go on in a line that is folded, and lines end in CR, LF or both.
class splitter {
 public:
  explicit splitter(std::string_view text) : text_(text) {
    while (next() == '\r' || next() == '\n') ++at_;
    head_.method = take_token() == "POST" ? nen::method::post : nen::method::get;
    skip(" \t");
    head_.target_begin = static_cast<std::uint16_t>(at_);
    head_.target_size = static_cast<std::uint16_t>(upto(" \t\r\n"));
    upto("\r\n");
    skip_line_end();
    while (at_ != text_.size() && next() != '\r' && next() != '\n') take_field();
  }

  status check() {
    nen::detail::head_checker checker(head_, text_.data(), text_.data() + text_.size(),
                                      refs_.data());
    return checker.check(64);
  }

 private:
  char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip(std::string_view any) {
    while (at_ < text_.size() && any.find(text_[at_]) != any.npos) ++at_;
  }
  std::size_t upto(std::string_view any) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && any.find(text_[at_]) == any.npos) ++at_;
    return at_ - begin;
  }
  std::string_view take_token() {
    const std::size_t begin = at_;
    while (nen::is_token_char(next())) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  void skip_line_end() {
    if (next() == '\r') ++at_;
    if (next() == '\n') ++at_;
  }
  void take_field() {
    nen::field_ref& ref = refs_[head_.field_count++];
    skip(" \t");
    ref.name_begin = static_cast<std::uint16_t>(at_);
    ref.name_size = static_cast<std::uint16_t>(take_token().size());
    skip(" \t");
    if (next() == ':') ++at_;
    skip(" \t");
    ref.value_begin = static_cast<std::uint16_t>(at_);
    upto("\r\n");
    std::size_t end = at_;
    skip_line_end();
    while (next() == ' ' || next() == '\t') {
      upto("\r\n");
      end = at_;
      skip_line_end();
    }
    ref.value_size = static_cast<std::uint16_t>(end - ref.value_begin);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  nen::request_head head_{};
  std::array<nen::field_ref, 8> refs_{};
};

constexpr status fine = nen::detail::no_fault;

struct row {
  std::string_view head;
  status answer;
};

template <std::size_t N>
void check(const row (&rows)[N]) {
  for (const row& r : rows) {
    CAPTURE(std::string(r.head));
    CHECK(splitter(r.head).check() == r.answer);
  }
}

#define NEN_POST "POST / HTTP/1.1\r\nHost: h\r\n"
#define NEN_POST_1_0 "POST / HTTP/1.0\r\nHost: h\r\n"

}  // namespace

TEST_CASE("a message has one framing, whatever found its fields") {
  const row rows[] = {
      {NEN_POST "\r\n", fine},
      {NEN_POST "Content-Length: 7\r\n\r\n", fine},
      {NEN_POST "content-length:\t7 \t\r\n\r\n", fine},
      {NEN_POST_1_0 "Content-Length: 7\r\n\r\n", fine},
      {NEN_POST "Transfer-Encoding: chunked\r\n\r\n", fine},
      {NEN_POST "TRANSFER-ENCODING:CHUNKED\r\n\r\n", fine},
      // RFC 9112 §6.1: what two receivers may read in two ways is refused.
      {NEN_POST "Content-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n", status::bad_request},
      {NEN_POST "Transfer-Encoding: chunked\r\nContent-Length: 7\r\n\r\n", status::bad_request},
      {NEN_POST "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n", status::bad_request},
      {NEN_POST "Transfer-Encoding: gzip\r\nContent-Length: 7\r\n\r\n", status::bad_request},
      {NEN_POST_1_0 "Transfer-Encoding: chunked\r\n\r\n", status::bad_request},
      // RFC 9110 §8.6
      {NEN_POST "Content-Length: 7\r\nContent-Length: 7\r\n\r\n", status::bad_request},
      {NEN_POST "Content-Length: 7, 7\r\n\r\n", status::bad_request},
      {NEN_POST "Content-Length: +7\r\n\r\n", status::bad_request},
      {NEN_POST "Content-Length: -7\r\n\r\n", status::bad_request},
      {NEN_POST "Content-Length: 0x7\r\n\r\n", status::bad_request},
      {NEN_POST "Content-Length: 7 7\r\n\r\n", status::bad_request},
      {NEN_POST "Content-Length:\r\n\r\n", status::bad_request},
      {NEN_POST "Content-Length: 18446744073709551615\r\n\r\n", fine},
      {NEN_POST "Content-Length: 18446744073709551616\r\n\r\n", status::bad_request},
      // RFC 9112 §6.1 and §7: chunked once, and last.
      {NEN_POST "Transfer-Encoding: gzip\r\n\r\n", status::bad_request},
      {NEN_POST "Transfer-Encoding: chunked, gzip\r\n\r\n", status::bad_request},
      {NEN_POST "Transfer-Encoding: chunked, chunked\r\n\r\n", status::bad_request},
      {NEN_POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
       status::bad_request},
      {NEN_POST "Transfer-Encoding: chunked,\r\n\r\n", status::bad_request},
      {NEN_POST "Transfer-Encoding: ,chunked\r\n\r\n", status::bad_request},
      {NEN_POST "Transfer-Encoding:\r\n\r\n", status::bad_request},
      {NEN_POST "Transfer-Encoding: xchunked\r\n\r\n", status::bad_request},
      {NEN_POST "Transfer-Encoding: gzip, chunked\r\n\r\n", status::not_implemented},
      {NEN_POST "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
       status::not_implemented},
  };
  check(rows);
}

TEST_CASE("nothing stands between the parts of a head, whatever found them") {
  const row rows[] = {
      {"\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", fine},
      {"GET / HTTP/1.0\r\n\r\n", fine},
      {"GET / HTTP/1.1\r\n\r\n", status::bad_request},
      {"GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", status::bad_request},
      {"\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", status::bad_request},
      {"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", status::bad_request},
      {"GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", status::bad_request},
      {"GET / HTTP/1.1 \r\nHost: h\r\n\r\n", status::bad_request},
      {"GET / HTTP/1.2\r\nHost: h\r\n\r\n", status::http_version_not_supported},
      {"GET / HTTP/1.1\nHost: h\r\n\r\n", status::bad_request},
      {"GET / HTTP/1.0\n\n\r\n", status::bad_request},
      {"GET / HTTP/1.0\r\r\r\n", status::bad_request},
      {"GET / HTTP/1.0xy\r\n", status::bad_request},
      {"GET / HTTP/1.1\r\nHost: h\n\r\n", status::bad_request},
      {"GET / HTTP/1.1\r\nHost: h\r\r\n", status::bad_request},
      {"GET / HTTP/1.1\r\nHost: h\r\n\n\n", status::bad_request},
      {"GET / HTTP/1.1\r\nHost : h\r\n\r\n", status::bad_request},
      {"GET / HTTP/1.1\r\nHost\t: h\r\n\r\n", status::bad_request},
      {"GET / HTTP/1.1\r\n Host: h\r\n\r\n", status::bad_request},
      {"GET / HTTP/1.1\r\nHost: h\r\n: x\r\n\r\n", status::bad_request},
      {"GET / HTTP/1.1\r\nHost: h\r\nA:: x\r\n\r\n", fine},
      {"GET / HTTP/1.1\r\nHost: h\r\nA x\r\n\r\n", status::bad_request},
  };
  check(rows);
}

#undef NEN_POST
#undef NEN_POST_1_0
