// What a line of the access log says, and that it is one line whatever strangers put into it.
#include <nen/http/log_line.hpp>

#include <cstring>
#include <string>
#include <string_view>

#include "support/catch.hpp"

using namespace std::string_view_literals;
using nen::log_entry;
using nen::log_format;

namespace {

constexpr std::int64_t a_sunday = 784'111'777;  // 06 Nov 1994 08:49:37, RFC 9110's own

std::string line(log_format format, const log_entry& entry) {
  char bytes[nen::log_line_bytes_max + 16];
  std::memset(bytes, '#', sizeof bytes);
  nen::log_line_writer writer(format);
  const char* const end = writer.write(bytes, entry);
  for (const char c : std::string_view(bytes + nen::log_line_bytes_max, 16)) CHECK(c == '#');
  return std::string(bytes, static_cast<std::size_t>(end - bytes));
}

/// How one text looks, taken out of the place of the target.
std::string target(log_format format, std::string_view text) {
  const std::string all = line(format, {.method = "GET", .target = text});
  const std::string before = format == log_format::json ? "\"target\":\"" : "\"GET ";
  const std::string after = format == log_format::json ? "\",\"version\"" : "\" - 0";
  const auto begin = all.find(before) + before.size();
  return all.substr(begin, all.find(after) - begin);
}

const log_entry whole = {.unix_seconds = a_sunday,
                         .client = "192.0.2.7",
                         .method = "GET",
                         .target = "/a?b=c",
                         .version_minor = 1,
                         .status = 200,
                         .body_bytes = 512,
                         .microseconds = 1'000'123,
                         .referer = "http://example.org/",
                         .user_agent = "curl/8.0",
                         .request_id = "r-1",
                         .trace_id = "0af7651916cd43dd8448eb211c80319c"};

}  // namespace

TEST_CASE("a line of the combined format is Apache's, with time and ids behind it") {
  CHECK(line(log_format::combined, whole) ==
        "192.0.2.7 - - [06/Nov/1994:08:49:37 +0000] \"GET /a?b=c HTTP/1.1\" 200 512 "
        "\"http://example.org/\" \"curl/8.0\" 1.000123 r-1 0af7651916cd43dd8448eb211c80319c\n");
}

TEST_CASE("a line of the JSON format is one object with all members") {
  CHECK(line(log_format::json, whole) ==
        "{\"time\":\"1994-11-06T08:49:37Z\",\"client\":\"192.0.2.7\",\"method\":\"GET\","
        "\"target\":\"/a?b=c\",\"version\":\"1.1\",\"status\":200,\"bytes\":512,"
        "\"seconds\":1.000123,\"referer\":\"http://example.org/\",\"user_agent\":\"curl/8.0\","
        "\"request_id\":\"r-1\",\"trace_id\":\"0af7651916cd43dd8448eb211c80319c\"}\n");
}

TEST_CASE("what a line does not know is a dash, or null") {
  CHECK(line(log_format::combined, {}) ==
        "- - - [01/Jan/1970:00:00:00 +0000] \"-\" - 0 \"-\" \"-\" 0.000000 - -\n");
  CHECK(line(log_format::json, {}) ==
        "{\"time\":\"1970-01-01T00:00:00Z\",\"client\":null,\"method\":null,\"target\":null,"
        "\"version\":null,\"status\":null,\"bytes\":0,\"seconds\":0.000000,\"referer\":null,"
        "\"user_agent\":null,\"request_id\":null,\"trace_id\":null}\n");
}

TEST_CASE("a writer says each line's own time") {
  char bytes[nen::log_line_bytes_max];
  nen::log_line_writer writer(log_format::json);
  for (const std::int64_t second : {a_sunday, a_sunday, a_sunday + 1, a_sunday}) {
    const std::string_view text(
        bytes, static_cast<std::size_t>(writer.write(bytes, {.unix_seconds = second}) - bytes));
    CHECK(text.substr(9, 20) ==
          (second == a_sunday ? "1994-11-06T08:49:37Z"sv : "1994-11-06T08:49:38Z"sv));
  }
  CHECK(line(log_format::json, {.unix_seconds = -1}).substr(9, 20) == "1969-12-31T23:59:59Z");
  CHECK(line(log_format::json, {.unix_seconds = 951'782'400}).substr(9, 20) ==
        "2000-02-29T00:00:00Z");
}

TEST_CASE("hostile bytes are escaped") {
  struct example {
    std::string_view text, combined, json;
  };
  const example examples[] = {
      {"/plain", "/plain", "/plain"},
      {"/a\r\nb", "/a\\x0D\\x0Ab", "/a\\u000d\\u000ab"},
      {"/\"q\"", "/\\x22q\\x22", "/\\\"q\\\""},
      {"/\\x0A", "/\\x5Cx0A", "/\\\\x0A"},
      {"/\x1b[2J", "/\\x1B[2J", "/\\u001b[2J"},
      {"/\x7f", "/\\x7F", "/\\u007f"},
      {"/\0!"sv, "/\\x00!", "/\\u0000!"},
      {"/\xc3\xa9", "/\\xC3\\xA9", "/\xc3\xa9"},
      {"/\xe2\x82\xac", "/\\xE2\\x82\\xAC", "/\xe2\x82\xac"},
      {"/\xf0\x9f\x99\x82", "/\\xF0\\x9F\\x99\\x82", "/\xf0\x9f\x99\x82"},
      {"/\xc2\x85", "/\\xC2\\x85", "/\\u0085"},         // a line's end in C1
      {"/\xc2\xa0", "/\\xC2\\xA0", "/\xc2\xa0"},        // the first behind C1
      {"/\xff.", "/\\xFF.", "/\\ufffd."},               // no UTF-8 at all
      {"/\xc3", "/\\xC3", "/\\ufffd"},                  // cut short
      {"/\xc0\xaf", "/\\xC0\\xAF", "/\\ufffd\\ufffd"},  // overlong
      {"/\xe0\x80\xaf", "/\\xE0\\x80\\xAF", "/\\ufffd\\ufffd\\ufffd"},
      {"/\xed\xa0\x80", "/\\xED\\xA0\\x80", "/\\ufffd\\ufffd\\ufffd"},  // a surrogate
      {"/\xf4\x90\x80\x80", "/\\xF4\\x90\\x80\\x80", "/\\ufffd\\ufffd\\ufffd\\ufffd"},
      {"/\xe2\x82!", "/\\xE2\\x82!", "/\\ufffd\\ufffd!"},
  };
  for (const example& e : examples) {
    INFO(e.combined);
    CHECK(target(log_format::combined, e.text) == e.combined);
    CHECK(target(log_format::json, e.text) == e.json);
  }
}

TEST_CASE("texts that are too long are cut where it is seen, never inside of an escape") {
  const std::string fits(nen::log_target_bytes_max, 'a');
  const std::string cut = fits.substr(3) + "...";
  for (const auto format : {log_format::combined, log_format::json}) {
    CHECK(target(format, fits) == fits);
    CHECK(target(format, fits + "b") == cut);
    CHECK(target(format, fits + std::string(60'000, 'b')) == cut);
  }
  // An escape is whole or not there at all, wherever the end falls.
  for (std::size_t shift = 0; shift < 8; ++shift) {
    const std::string hostile = std::string(shift, 'a') + std::string(2000, '\n');
    const std::string combined = target(log_format::combined, hostile);
    const std::string json = target(log_format::json, hostile);
    CHECK(combined.size() <= nen::log_target_bytes_max);
    CHECK(combined.size() > nen::log_target_bytes_max - 4);
    CHECK((combined.size() - shift - 3) % 4 == 0);
    CHECK(json.size() <= nen::log_target_bytes_max);
    CHECK((json.size() - shift - 3) % 6 == 0);
    CHECK(combined.ends_with("\\x0A..."));
    CHECK(json.ends_with("\\u000a..."));
    // Also where plain text follows that would have to be cut in front of itself.
    for (std::size_t escapes = 160; escapes < 260; ++escapes) {
      const std::string mixed =
          std::string(shift, 'a') + std::string(escapes, '\n') + std::string(600, 'b');
      for (const auto format : {log_format::combined, log_format::json}) {
        std::string text = target(format, mixed);
        CHECK(text.size() <= nen::log_target_bytes_max);
        if (text.ends_with("...")) text.resize(text.size() - 3);
        text.resize(text.find_last_not_of('b') + 1);
        const std::string_view escape = format == log_format::json ? "\\u000a" : "\\x0A";
        CHECK(text.ends_with(escape));
      }
    }
  }
}

TEST_CASE("the longest line fits, and into a pipe at once") {
  const std::string bad(5000, '\n');
  const std::uint64_t most = ~std::uint64_t{0};
  const log_entry entry{.unix_seconds = 253'402'300'799,
                        .client = bad,
                        .method = bad,
                        .target = bad,
                        .version_minor = 1,
                        .status = 599,
                        .body_bytes = most,
                        .microseconds = most,
                        .referer = bad,
                        .user_agent = bad,
                        .request_id = bad,
                        .trace_id = bad};
  CHECK(line(log_format::json, entry).size() <= nen::log_line_bytes_max);
  CHECK(line(log_format::combined, entry).size() <= nen::log_line_bytes_max);
  CHECK(line(log_format::json, entry).size() > 2400);
  CHECK(nen::log_line_bytes_max <= 4096);
}
