// The opening handshake against RFC 6455 §4.2.1, rule by rule, and the key's answer.
#include <nen/ws/handshake.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/death.hpp"

namespace {

using nen::ws::handshake;
using nen::ws::handshake_verdict;
using nen::ws::same_origin;

using field_list = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view sample_key = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455 §1.3

/// A good request with some fields replaced; a field with the value "-" is left out.
field_list with(const field_list& changes) {
  field_list fields = {
      {"Host", "server.example.com"},   {"Upgrade", "websocket"},
      {"Connection", "Upgrade"},        {"Sec-WebSocket-Key", std::string(sample_key)},
      {"Origin", "http://example.com"}, {"Sec-WebSocket-Version", "13"}};
  for (const auto& change : changes) {
    bool found = false;
    for (auto& field : fields) {
      if (field.first == change.first) {
        field.second = change.second;
        found = true;
      }
    }
    if (!found) fields.push_back(change);
  }
  std::erase_if(fields, [](const auto& field) { return field.second == "-"; });
  return fields;
}

handshake read(const field_list& fields) {
  handshake result;
  for (const auto& [name, value] : fields) result.add_field(name, value);
  return result;
}

handshake_verdict judged(const field_list& fields, bool is_get = true, int minor = 1) {
  return read(fields).verdict(is_get, minor);
}

std::string accept_of(std::string_view key) {
  const nen::ws::accept_text text = nen::ws::accept_key(key);
  return {text.data(), text.size()};
}

static_assert(nen::ws::accept_key("dGhlIHNhbXBsZSBub25jZQ==")[0] == 's');

}  // namespace

TEST_CASE("a key is answered as RFC 6455 shows", "[handshake]") {
  CHECK(accept_of(sample_key) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");  // section 1.3
  CHECK(accept_of("x3JJHMbDL1EzLkh9GBhXDw==") == "HSmrc0sMlYUkAGmm5OPpG2HaGWk=");
  CHECK(nen::ws::is_accept_of("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", sample_key));
  CHECK(!nen::ws::is_accept_of("S3pPLMBiTxaQ9kYGzzhZRbK+xOo=", sample_key));
  CHECK(!nen::ws::is_accept_of("", sample_key));
}

TEST_CASE("a key is 16 bytes in base64", "[handshake]") {
  CHECK(nen::ws::is_key(sample_key));
  CHECK(nen::ws::is_key("AAAAAAAAAAAAAAAAAAAAAA=="));
  const std::string_view wrong[] = {
      "",
      "dGhlIHNhbXBsZSBub25jZQ=",    // not whole
      "dGhlIHNhbXBsZSBub25jZQ",     // no padding
      "dGhlIHNhbXBsZSBub25jZR==",   // unused bits
      "dGhlIHNhbXBsZSBub25jZQ== ",  //
      " GhlIHNhbXBsZSBub25jZQ==",   //
      "dGhlIHNhbXBsZSBub25j",       // 15 bytes
      "dGhlIHNhbXBsZSBub25jZWE=",   // 17 bytes
      "dGhlIHNhbXBsZSBub25jZWFh",   // 18 bytes
      "dGhlIHNhbXBsZSBub25jZ-==",   //
  };
  for (const std::string_view key : wrong) {
    INFO(key);
    CHECK(!nen::ws::is_key(key));
  }
  CHECK(nen::test::dies([] { (void)accept_of("no key"); }).aborted);
}

TEST_CASE("a request for a WebSocket has all that RFC 6455 section 4.2.1 asks for", "[handshake]") {
  using enum handshake_verdict;
  const struct {
    const char* rule;
    field_list changes;
    handshake_verdict verdict;
  } cases[] = {
      {"the example of section 1.2", {}, ok},
      {"no Upgrade", {{"Upgrade", "-"}}, bad_request},
      {"another Upgrade", {{"Upgrade", "h2c"}}, bad_request},
      {"Upgrade in capitals", {{"Upgrade", "WebSocket"}}, ok},
      {"Upgrade with others", {{"Upgrade", "h2c, websocket"}}, ok},
      {"Upgrade with a version", {{"Upgrade", "websocket/13"}}, bad_request},
      {"no Connection", {{"Connection", "-"}}, bad_request},
      {"Connection without upgrade", {{"Connection", "keep-alive"}}, bad_request},
      {"Connection as Firefox sends it", {{"Connection", "keep-alive, Upgrade"}}, ok},
      {"Connection in small letters", {{"Connection", "upgrade"}}, ok},
      {"Connection with a longer word", {{"Connection", "upgrades"}}, bad_request},
      {"no key", {{"Sec-WebSocket-Key", "-"}}, bad_request},
      {"an empty key", {{"Sec-WebSocket-Key", ""}}, bad_request},
      {"a key of 15 bytes", {{"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25j"}}, bad_request},
      {"two keys", {{"sec-websocket-key", std::string(sample_key)}}, bad_request},
      {"no version", {{"Sec-WebSocket-Version", "-"}}, bad_request},
      {"an empty version", {{"Sec-WebSocket-Version", ""}}, bad_request},
      {"version 8", {{"Sec-WebSocket-Version", "8"}}, upgrade_required},
      {"version 7 without a key",
       {{"Sec-WebSocket-Version", "7"}, {"Sec-WebSocket-Key", "-"}},
       upgrade_required},
      {"version 14", {{"Sec-WebSocket-Version", "14"}}, upgrade_required},
      {"version 0", {{"Sec-WebSocket-Version", "0"}}, upgrade_required},
      {"version 255", {{"Sec-WebSocket-Version", "255"}}, upgrade_required},
      {"version 256", {{"Sec-WebSocket-Version", "256"}}, bad_request},
      {"version 013", {{"Sec-WebSocket-Version", "013"}}, bad_request},
      {"a list of versions", {{"Sec-WebSocket-Version", "13, 8"}}, bad_request},
      {"a version that is no number", {{"Sec-WebSocket-Version", "thirteen"}}, bad_request},
      {"two versions", {{"sec-websocket-version", "13"}}, bad_request},
      {"version 8 of something else",
       {{"Sec-WebSocket-Version", "8"}, {"Upgrade", "h2c"}},
       bad_request},
      {"a subprotocol", {{"Sec-WebSocket-Protocol", "chat"}}, ok},
      {"subprotocols", {{"Sec-WebSocket-Protocol", "chat, superchat,v1.x"}}, ok},
      {"no subprotocol in its field", {{"Sec-WebSocket-Protocol", ""}}, bad_request},
      {"only commas", {{"Sec-WebSocket-Protocol", " , "}}, bad_request},
      {"a subprotocol that is no token", {{"Sec-WebSocket-Protocol", "a b"}}, bad_request},
      {"a subprotocol with a slash", {{"Sec-WebSocket-Protocol", "chat/1"}}, bad_request},
      {"a subprotocol twice", {{"Sec-WebSocket-Protocol", "a, b, a"}}, bad_request},
      {"a subprotocol twice but for case", {{"Sec-WebSocket-Protocol", "a, A"}}, ok},
      {"a subprotocol twice in two lines",
       {{"Sec-WebSocket-Protocol", "a, b"}, {"sec-websocket-protocol", "b"}},
       bad_request},
      {"an extension", {{"Sec-WebSocket-Extensions", "permessage-deflate"}}, ok},
      {"an extension nobody knows", {{"Sec-WebSocket-Extensions", "x-new; y=\"z\""}}, ok},
      {"a malformed extension", {{"Sec-WebSocket-Extensions", "permessage-deflate;"}}, bad_request},
      {"an empty list of extensions", {{"Sec-WebSocket-Extensions", ""}}, bad_request},
      {"a malformed extension in a second line",
       {{"Sec-WebSocket-Extensions", "a"}, {"sec-websocket-extensions", "b; ="}},
       bad_request},
      {"fields of no concern", {{"Sec-WebSocket-Accept", "?"}, {"X-Any", "thing"}}, ok},
  };
  for (const auto& c : cases) {
    INFO(c.rule);
    CHECK(judged(with(c.changes)) == c.verdict);
  }
}

TEST_CASE("only a GET of HTTP/1.1 asks for a WebSocket", "[handshake]") {
  CHECK(judged(with({}), false) == handshake_verdict::bad_request);
  CHECK(judged(with({}), true, 0) == handshake_verdict::bad_request);
  CHECK(judged(with({{"Sec-WebSocket-Version", "8"}}), false) == handshake_verdict::bad_request);
  CHECK(judged({}) == handshake_verdict::bad_request);
}

TEST_CASE("lists may be spread over lines, but not over endless ones", "[handshake]") {
  field_list fields = with({});
  fields.emplace_back("Connection", "keep-alive");
  fields.emplace_back("Upgrade", "h2c");
  for (int line = 1; line <= 5; ++line) {
    INFO(line << " lines");
    fields.emplace_back("Sec-WebSocket-Protocol", "p" + std::to_string(line));
    fields.emplace_back("Sec-WebSocket-Extensions", "e" + std::to_string(line));
    CHECK(judged(fields) == (line <= 4 ? handshake_verdict::ok : handshake_verdict::bad_request));
  }
}

TEST_CASE("as many subprotocols as are compared may be offered, and no more", "[handshake]") {
  std::string list = "p0";
  for (std::size_t i = 1; i < nen::ws::protocols_max; ++i) list += ",p" + std::to_string(i);
  CHECK(judged(with({{"Sec-WebSocket-Protocol", list}})) == handshake_verdict::ok);
  CHECK(judged(with({{"Sec-WebSocket-Protocol", list + ",more"}})) ==
        handshake_verdict::bad_request);
}

TEST_CASE("the session finds what the client offered, in its order", "[handshake]") {
  const field_list fields = with({{"Sec-WebSocket-Protocol", "chat.v2, Chat"},
                                  {"sec-websocket-protocol", "mqtt"},
                                  {"Sec-WebSocket-Extensions", "a, b"},
                                  {"sec-websocket-extensions", "c"}});
  const handshake request = read(fields);
  CHECK(request.key() == sample_key);
  CHECK(request.offers_protocol("chat.v2"));
  CHECK(request.offers_protocol("Chat"));
  CHECK(request.offers_protocol("mqtt"));
  CHECK(!request.offers_protocol("chat"));
  CHECK(!request.offers_protocol(""));
  std::string order;
  CHECK(!request.find_protocol([&](std::string_view name) {
    order += std::string(name) + " ";
    return false;
  }));
  CHECK(order == "chat.v2 Chat mqtt ");
  CHECK(request.find_protocol([](std::string_view name) { return name.size() == 4; }) == "Chat");
  REQUIRE(request.extension_lines().size() == 2);
  CHECK(request.extension_lines()[0] == "a, b");
  CHECK(request.extension_lines()[1] == "c");
}

TEST_CASE("an origin is the server's own when scheme, host and port are", "[handshake]") {
  const struct {
    std::string_view origin, host;
    bool is_tls, is_same;
  } cases[] = {
      {"http://example.org", "example.org", false, true},
      {"http://EXAMPLE.org", "example.ORG", false, true},
      {"HTTP://example.org", "example.org", false, true},
      {"http://example.org:8080", "example.org:8080", false, true},
      {"http://example.org:80", "example.org", false, true},
      {"http://example.org", "example.org:80", false, true},
      {"http://example.org", "example.org:", false, true},
      {"https://example.org", "example.org", true, true},
      {"https://example.org:443", "example.org", true, true},
      {"http://[::1]:8080", "[::1]:8080", false, true},
      {"http://[::1]", "[::1]:80", false, true},
      {"https://example.org", "example.org", false, false},
      {"http://example.org", "example.org", true, false},
      {"http://example.org:443", "example.org", false, false},
      {"http://example.org:8080", "example.org", false, false},
      {"http://example.org:8080", "example.org:8081", false, false},
      {"http://evil.org", "example.org", false, false},
      {"http://example.org.evil.org", "example.org", false, false},
      {"http://notexample.org", "example.org", false, false},
      {"http://example.org/", "example.org", false, false},
      {"http://example.org http://evil.org", "example.org", false, false},
      {"null", "example.org", false, false},
      {"null", "null", false, false},
      {"", "example.org", false, false},
      {"http://", "", false, false},
      {"http://", ":80", false, false},
      {"example.org", "example.org", false, false},
      {"ws://example.org", "example.org", false, false},
  };
  for (const auto& c : cases) {
    INFO(c.origin << " at " << c.host);
    CHECK(same_origin(c.origin, c.host, c.is_tls) == c.is_same);
  }
}
