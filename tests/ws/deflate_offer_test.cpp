// What offers of permessage-deflate become, RFC 7692 §5 and §7.1, on both sides.
#include <nen/ws/deflate_offer.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

namespace {

using nen::ws::deflate_options;
using nen::ws::deflate_parameters;
using nen::ws::extension;

/// Neither side is told to do without context unless the other wants it.
constexpr deflate_options relaxed = {.server_no_context_takeover = false,
                                     .client_no_context_takeover = false};

std::string text_of(const std::optional<deflate_parameters>& agreed) {
  if (!agreed) return "declined";
  std::string out(nen::ws::deflate_text_bytes_max, '#');
  char* const end = nen::ws::write_deflate(out.data(), *agreed);
  out.resize(static_cast<std::size_t>(end - out.data()));
  constexpr std::string_view name = "permessage-deflate";
  CHECK(out.substr(0, name.size()) == name);
  return out.substr(name.size());
}

/// What a server answers to an offer with these parameters, without the extension's name.
std::string answered(const std::string& params, const deflate_options& options = relaxed) {
  const std::string line = "permessage-deflate" + params;
  const std::string_view lines[] = {line};
  REQUIRE(nen::ws::is_extension_list(line));
  return text_of(nen::ws::accept_deflate(lines, options));
}

extension parsed(std::string_view line) {
  REQUIRE(nen::ws::is_extension_list(line));
  return *nen::ws::extensions(line).begin();
}

std::string offered(const deflate_options& options) {
  std::string out(nen::ws::deflate_text_bytes_max, '#');
  out.resize(
      static_cast<std::size_t>(nen::ws::write_deflate_offer(out.data(), options) - out.data()));
  return out;
}

constexpr bool is_constexpr() {
  const extension offer = {"permessage-deflate", "; client_max_window_bits=\"1\\0\""};
  return nen::ws::accept_deflate(offer, {})->client_max_window_bits == 10;
}
static_assert(is_constexpr());

}  // namespace

TEST_CASE("a server answers an offer with what it has to name", "[deflate_offer]") {
  const struct {
    const char* offer;
    const char* answer;
  } cases[] = {
      {"", ""},
      {"; client_max_window_bits", ""},
      {"; server_no_context_takeover", "; server_no_context_takeover"},
      {"; client_no_context_takeover", "; client_no_context_takeover"},
      {"; server_max_window_bits=15", "; server_max_window_bits=15"},  // 7.1.2.1: it is confirmed
      {"; server_max_window_bits=10", "; server_max_window_bits=10"},
      {"; server_max_window_bits=\"9\"", "; server_max_window_bits=9"},
      {"; server_max_window_bits=\"1\\2\"", "; server_max_window_bits=12"},
      {"; client_max_window_bits=15", ""},
      {"; client_max_window_bits=8", "; client_max_window_bits=8"},
      {"; client_max_window_bits=10; server_max_window_bits=11; client_no_context_takeover; "
       "server_no_context_takeover",
       "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=11; "
       "client_max_window_bits=10"},
  };
  for (const auto& c : cases) {
    INFO(c.offer);
    CHECK(answered(c.offer) == c.answer);
  }
}

TEST_CASE("an offer with a parameter that may not be is declined", "[deflate_offer]") {
  const char* const offers[] = {
      "; unknown",
      "; unknown=1",
      "; Server_No_Context_Takeover",
      "; server_no_context_takeover=1",
      "; client_no_context_takeover=true",
      "; server_no_context_takeover; server_no_context_takeover",
      "; client_no_context_takeover; client_no_context_takeover",
      "; server_max_window_bits",
      "; server_max_window_bits=7",
      "; server_max_window_bits=8",  // allowed, but zlib cannot keep to it
      "; server_max_window_bits=16",
      "; server_max_window_bits=010",
      "; server_max_window_bits=\"1\\0\\0\"",
      "; server_max_window_bits=ten",
      "; server_max_window_bits=-10",
      "; server_max_window_bits=4294967306",
      "; server_max_window_bits=10; server_max_window_bits=10",
      "; server_max_window_bits=10; server_max_window_bits=11",
      "; client_max_window_bits=7",
      "; client_max_window_bits=16",
      "; client_max_window_bits=08",
      "; client_max_window_bits=x",
      "; client_max_window_bits; client_max_window_bits",
      "; client_max_window_bits; client_max_window_bits=10",
      "; client_max_window_bits=10; client_max_window_bits",
  };
  for (const char* const offer : offers) {
    INFO(offer);
    CHECK(answered(offer) == "declined");
  }
}

TEST_CASE("the server's own wishes go into the answer", "[deflate_offer]") {
  const std::string both = "; server_no_context_takeover; client_no_context_takeover";
  CHECK(answered("", {}) == both);
  CHECK(answered("; client_max_window_bits", {}) == both);
  deflate_options small = relaxed;
  small.server_max_window_bits = 11;
  CHECK(answered("", small) == "; server_max_window_bits=11");
  CHECK(answered("; server_max_window_bits=10", small) == "; server_max_window_bits=10");
  CHECK(answered("; server_max_window_bits=15", small) == "; server_max_window_bits=11");
  small = relaxed;
  small.client_max_window_bits = 12;
  CHECK(answered("; client_max_window_bits", small) == "; client_max_window_bits=12");
  CHECK(answered("; client_max_window_bits=15", small) == "; client_max_window_bits=12");
  CHECK(answered("; client_max_window_bits=9", small) == "; client_max_window_bits=9");
  // 7.1.2.2: a client that does not offer it may not be told.
  CHECK(answered("", small) == "declined");
}

TEST_CASE("the first offer that can be accepted is, whatever comes before it", "[deflate_offer]") {
  const auto accepted = [](const std::vector<std::string_view>& lines) {
    return text_of(nen::ws::accept_deflate(lines, relaxed));
  };
  CHECK(accepted({"permessage-deflate; server_max_window_bits=8, permessage-deflate"}) == "");
  CHECK(accepted({"permessage-deflate; x, permessage-deflate; server_max_window_bits=10",
                  "permessage-deflate"}) == "; server_max_window_bits=10");
  CHECK(accepted({"x-webkit-deflate-frame", "permessage-deflate; client_no_context_takeover"}) ==
        "; client_no_context_takeover");
  CHECK(accepted({"permessage-deflates, Permessage-Deflate, deflate"}) == "declined");
  CHECK(accepted({"permessage-deflate; x", "permessage-deflate; y"}) == "declined");
  CHECK(accepted({}) == "declined");
}

TEST_CASE("a client offers what it can do", "[deflate_offer]") {
  CHECK(offered(relaxed) == "permessage-deflate; client_max_window_bits");
  CHECK(offered({}) ==
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
        "client_max_window_bits");
  const std::string longest = offered({.server_max_window_bits = 10, .client_max_window_bits = 11});
  CHECK(longest ==
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
        "server_max_window_bits=10; client_max_window_bits=11");
  CHECK(longest.size() <= nen::ws::deflate_text_bytes_max);
}

TEST_CASE("a client judges the answer by what it offered", "[deflate_offer]") {
  const auto judged = [](const char* params, const deflate_options& options) {
    const std::string line = std::string("permessage-deflate") + params;
    return text_of(nen::ws::check_deflate_answer(parsed(line), options));
  };
  deflate_options small_server = relaxed;
  small_server.server_max_window_bits = 12;
  deflate_options small_client = relaxed;
  small_client.client_max_window_bits = 12;
  const deflate_options wants = {.client_no_context_takeover = false};

  CHECK(judged("", relaxed) == "");
  CHECK(judged("; server_no_context_takeover", relaxed) == "; server_no_context_takeover");
  CHECK(judged("; client_no_context_takeover", relaxed) == "; client_no_context_takeover");
  CHECK(judged("; server_max_window_bits=10", relaxed) == "; server_max_window_bits=10");
  CHECK(judged("; client_max_window_bits=10", relaxed) == "; client_max_window_bits=10");
  CHECK(judged("; server_no_context_takeover", wants) == "; server_no_context_takeover");
  CHECK(judged("; server_max_window_bits=12", small_server) == "; server_max_window_bits=12");
  CHECK(judged("; server_max_window_bits=9", small_server) == "; server_max_window_bits=9");
  CHECK(judged("", small_client) == "; client_max_window_bits=12");
  CHECK(judged("; client_max_window_bits=15", small_client) == "; client_max_window_bits=12");

  CHECK(judged("", wants) == "declined");
  CHECK(judged("", small_server) == "declined");
  CHECK(judged("; server_max_window_bits=13", small_server) == "declined");
  CHECK(judged("; client_max_window_bits", relaxed) == "declined");    // 7.1.2.2: it needs a value
  CHECK(judged("; client_max_window_bits=8", relaxed) == "declined");  // zlib cannot
  CHECK(judged("; unknown", relaxed) == "declined");
  CHECK(judged("; server_no_context_takeover; server_no_context_takeover", relaxed) == "declined");
  CHECK(!nen::ws::check_deflate_answer(parsed("other"), relaxed));
}

TEST_CASE("both sides come to the same agreement", "[deflate_offer]") {
  int agreements = 0;
  for (unsigned bits = 0; bits < 16 * 49; ++bits) {
    const auto window = [](unsigned n) { return static_cast<std::uint8_t>(9 + n % 7); };
    const deflate_options client = {(bits & 1) != 0, (bits & 2) != 0, window(bits / 16),
                                    window(bits / 16 / 7)};
    const deflate_options server = {(bits & 4) != 0, (bits & 8) != 0, window(bits / 5),
                                    window(bits / 3)};
    const std::string offer = offered(client);
    const std::string_view lines[] = {offer};
    const auto agreed = nen::ws::accept_deflate(lines, server);
    if (!agreed) FAIL(offer);
    const std::string answer = "permessage-deflate" + text_of(agreed);
    const auto confirmed = nen::ws::check_deflate_answer(parsed(answer), client);
    if (!confirmed) FAIL(offer << " -> " << answer);
    if (confirmed->server_no_context_takeover != agreed->server_no_context_takeover ||
        confirmed->server_max_window_bits != agreed->server_max_window_bits ||
        confirmed->client_max_window_bits > agreed->client_max_window_bits ||
        confirmed->client_no_context_takeover < agreed->client_no_context_takeover) {
      FAIL(offer << " -> " << answer);
    }
    ++agreements;
  }
  CHECK(agreements == 16 * 49);
}
