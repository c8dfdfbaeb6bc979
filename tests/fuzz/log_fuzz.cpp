// Lines of the access log: whatever a client put into its request, each is one line of bounded
// length; that of the combined format has all its parts, that of the JSON format is an object.
#include <nen/http/log_line.hpp>
#include <nen/http/trace_context.hpp>

#include <algorithm>
#include <string>
#include <string_view>

#include "fuzz/fuzz.hpp"
#include "fuzz/json_reader.hpp"

namespace {

using namespace nen::test::fuzz;

/// Two and more times as long as what can be kept of it, sometimes.
std::string lengthened(std::string_view text, std::size_t times) {
  std::string made;
  for (std::size_t i = 0; i < times; ++i) made += text;
  return made;
}

void check_line(std::string_view line) {
  NEN_PROPERTY(line.size() <= nen::log_line_bytes_max);
  NEN_PROPERTY(line.ends_with('\n'));
  for (const char c : line.substr(0, line.size() - 1)) {
    const auto byte = static_cast<unsigned char>(c);
    NEN_PROPERTY(byte >= 0x20 && byte != 0x7f);
  }
}

/// Quotes come in pairs, because none is left inside of what they enclose: so what is outside of
/// them has just so many spaces.
void check_combined(std::string_view line) {
  check_line(line);
  NEN_SAME(std::count(line.begin(), line.end(), '"'), 6);
  for (const char c : line.substr(0, line.size() - 1))
    NEN_PROPERTY(static_cast<unsigned char>(c) < 0x7f);
  std::size_t spaces = 0;
  bool quoted = false;
  for (const char c : line) {
    quoted ^= c == '"';
    spaces += !quoted && c == ' ';
  }
  NEN_SAME(spaces, std::size_t{12});
}

/// What the reader of tests/fuzz does not know: null, of which there is none in a string, because a
/// quote stands in front of it; and escapes of what is not ASCII.
std::string simplified(std::string_view line) {
  std::string text;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line.substr(i).starts_with("\":null")) {
      text += "\":0";
      i += 5;
    } else if (line[i] == '\\') {
      const bool is_foreign = line[i + 1] == 'u' && line.substr(i + 2, 4) >= "0080";
      text += is_foreign ? "?" : line.substr(i, 2);
      i += is_foreign ? 5 : 1;
    } else {
      text += line[i];
    }
  }
  return text;
}

void check_json(std::string_view line, std::string_view target) {
  check_line(line);
  const auto members = json_reader::read(simplified(line.substr(0, line.size() - 1)));
  NEN_PROPERTY(members.has_value());
  NEN_SAME(members->size(), std::size_t{12});
  NEN_SAME((*members)[3].first, std::string("target"));
  const bool is_ascii = std::all_of(target.begin(), target.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x80 && c != 0;
  });
  if (is_ascii && !target.empty() && target.size() <= nen::log_target_bytes_max / 6)
    NEN_SAME((*members)[3].second, std::string(target));
}

void check_trace(std::string_view text) {
  const auto found = nen::traceparent::parse(text);
  if (!found) return;
  char out[nen::traceparent::text_bytes];
  found->write(out);
  const auto again = nen::traceparent::parse({out, sizeof out});
  NEN_PROPERTY(again.has_value() && *again == *found);
  NEN_PROPERTY(text.substr(3, 49) == std::string_view(out + 3, 49));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > input_bytes_max) return 0;
  choices from(data, size);
  nen::log_entry entry;
  entry.unix_seconds = from.number();
  entry.version_minor = static_cast<int>(from.below(3)) - 1;
  entry.status = static_cast<int>(from.below(3)) * 200 - 1;
  entry.body_bytes = std::uint64_t{from.number()} << from.below(33);
  entry.microseconds = std::uint64_t{from.number()} << from.below(33);
  const std::string target = lengthened(from.text(), 1 + from.below(20));
  const std::string agent = lengthened(from.text(), 1 + from.below(20));
  // What has no quotes around it comes from the server: addresses, methods, ids that are tokens.
  entry.client = "192.0.2.1";
  entry.method = from.flag() ? "GET" : "";
  entry.target = target;
  entry.user_agent = agent;
  entry.referer = from.rest();

  static guarded_bytes area(nen::log_line_bytes_max);
  char* const out = area.room(nen::log_line_bytes_max);
  for (const auto format : {nen::log_format::combined, nen::log_format::json}) {
    nen::log_line_writer writer(format);
    const char* const end = writer.write(out, entry);
    const std::string_view line(out, static_cast<std::size_t>(end - out));
    format == nen::log_format::json ? check_json(line, target) : check_combined(line);
  }
  check_trace(from.rest());
  return 0;
}
