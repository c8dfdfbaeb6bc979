// Who a client is: PROXY headers, forwarded fields, addresses and prefixes. The input is such a
// text; its end also chooses where it is cut.
#include <nen/core/cidr.hpp>
#include <nen/core/ip_text.hpp>
#include <nen/http/forwarded.hpp>
#include <nen/net/proxy_header.hpp>

#include <arpa/inet.h>

#include <string>

#include "fuzz/fuzz.hpp"

namespace {

using namespace nen::test::fuzz;
using status = nen::proxy_header_status;

constexpr auto trusted = nen::cidrs<"10.0.0.0/8", "fd00::/8">;

std::string text_of(const nen::client_address& who) {
  return std::string(who.to_text().view()) + " " + std::to_string(who.port);
}

/// However a header is cut, it says the same and ends at the same byte; and a whole line of version
/// 1 has the addresses that the C library reads.
void check_proxy_header(choices from) {
  dice cuts(from.number());
  const std::string_view bytes = from.rest();
  nen::proxy_header_reader whole{};
  const auto at_once = whole.feed(bytes);
  NEN_PROPERTY(at_once.consumed <= bytes.size());
  NEN_PROPERTY(at_once.status != status::need_more || at_once.consumed == bytes.size());
  nen::proxy_header_reader pieces{};
  std::size_t at = 0;
  auto said = status::need_more;
  while (said == status::need_more && at < bytes.size()) {
    const auto got = pieces.feed(bytes.substr(at, 1 + cuts.below(20)));
    at += got.consumed;
    said = got.status;
  }
  NEN_SAME(said, at_once.status);
  if (said != status::complete) return;
  NEN_SAME(at, at_once.consumed);
  NEN_SAME(text_of(pieces.client()), text_of(whole.client()));
  if (bytes[0] != 'P' || whole.client().what == nen::client_address::kind::none) return;
  const std::string_view line = bytes.substr(11, at - 13);  // behind "PROXY TCPx "
  const std::string source(line.substr(0, line.find(' ')));
  std::uint8_t v4[4];
  std::uint8_t v6[16];
  const bool is_v6 = bytes[9] == '6';
  NEN_PROPERTY(::inet_pton(is_v6 ? AF_INET6 : AF_INET, source.c_str(),
                           is_v6 ? static_cast<void*>(v6) : v4) == 1);
  auto expected = is_v6 ? nen::client_address::ipv6(v6) : nen::client_address::ipv4(v4);
  expected.port = whole.client().port;
  NEN_PROPERTY(expected == whole.client());
}

nen::client_address client_of(std::string_view value, nen::forwarded_field which) {
  const std::string_view name =
      which == nen::forwarded_field::forwarded ? "Forwarded" : "X-Forwarded-For";
  const std::string line = std::string(name) + std::string(value);
  const nen::field_ref ref = {0, static_cast<std::uint16_t>(name.size()),
                              static_cast<std::uint16_t>(name.size()),
                              static_cast<std::uint16_t>(value.size())};
  return nen::forwarded_client(nen::fields(line.data(), &ref, 1), which,
                               nen::client_address::ipv4({10, 0, 0, 1}), trusted);
}

/// Whatever a client writes into the field, what a trusted proxy appends to it decides.
void check_forwarded(choices from) {
  const std::string value(from.rest().substr(0, 4000));
  using nen::forwarded_field;
  (void)client_of(value, forwarded_field::x_forwarded_for);
  (void)client_of(value, forwarded_field::forwarded);
  NEN_SAME(text_of(client_of(value + ", 192.0.2.7", forwarded_field::x_forwarded_for)),
           "192.0.2.7 0");
  NEN_SAME(text_of(client_of(value + ",192.0.2.7,10.9.9.9", forwarded_field::x_forwarded_for)),
           "192.0.2.7 0");
  NEN_SAME(text_of(client_of(value + ", for=192.0.2.7;by=\"a,b\"", forwarded_field::forwarded)),
           "192.0.2.7 0");
  NEN_SAME(text_of(client_of(value + ",for=\"[2001:db8::7]:80\",for=10.9.9.9",
                             forwarded_field::forwarded)),
           "2001:db8::7 80");
}

/// An address is one exactly if the C library says so; a prefix has the address it is written with,
/// and reads as itself.
void check_address(choices from) {
  const std::string text(from.rest());
  if (text.find('\0') == text.npos) {
    std::uint8_t v4[4];
    std::uint8_t v6[16];
    const bool is_v4 = ::inet_pton(AF_INET, text.c_str(), v4) == 1;
    const bool is_v6 = !is_v4 && ::inet_pton(AF_INET6, text.c_str(), v6) == 1;
    const auto read = nen::parse_ip(text);
    NEN_SAME(read.has_value(), is_v4 || is_v6);
    if (is_v4) NEN_PROPERTY(*read == nen::client_address::ipv4(v4));
    if (is_v6) NEN_PROPERTY(*read == nen::client_address::ipv6(v6));
    if (read) NEN_PROPERTY(nen::parse_ip(read->to_text()) == read);
  }
  const auto prefix = nen::cidr::parse(text);
  if (!prefix) {
    NEN_PROPERTY(!prefix.error().message().empty());
    return;
  }
  nen::client_address base{};
  base.bytes = prefix->bytes;
  base.what = prefix->family;
  NEN_PROPERTY(prefix->contains(base));
  const std::string again =
      std::string(base.to_text().view()) + "/" + std::to_string(unsigned{prefix->bits});
  const auto reread = nen::cidr::parse(again);
  NEN_PROPERTY(reread.has_value() && *reread == *prefix);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 20'000) return 0;
  const choices from(data, size);
  check_proxy_header(from);
  if (size > 4000) return 0;
  check_forwarded(from);
  check_address(from);
  return 0;
}
