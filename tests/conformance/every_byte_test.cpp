// Each of the 256 bytes at every place of the grammar where one has to be judged.
#include "conformance/check.hpp"

using namespace nen::test::conformance;

namespace {

// The character classes, written down from RFC 9110 §5.6.2 and §5.5 and RFC 3986 §2.2 and §2.3,
// apart from the library's own.
constexpr std::string_view alphanumeric =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

bool is_one_of(int byte, std::string_view set) {
  return byte != 0 && set.find(static_cast<char>(byte)) != set.npos;
}
bool is_tchar(int byte) {
  return is_one_of(byte, alphanumeric) || is_one_of(byte, "!#$%&'*+-.^_`|~");
}
bool is_value_byte(int byte) { return byte == '\t' || (byte >= ' ' && byte != 0x7f); }
bool is_reg_name(int byte) {
  return is_one_of(byte, alphanumeric) || is_one_of(byte, "-._~!$&'()*+,;=");
}
int hex(int byte) {
  const auto at =
      std::string_view("0123456789abcdef0123456789ABCDEF").find(static_cast<char>(byte));
  return byte == 0 || at == std::string_view::npos ? -1 : static_cast<int>(at % 16);
}

constexpr const char* skip = nullptr;  // a byte that other tests are about

/// Puts each byte between `before` and `after`.
/// @param wanted  wanted(byte) -> the row's outcome, or skip
template <class Wanted>
void check_each(const char* clause, std::string_view before, std::string_view after,
                Wanted wanted) {
  std::vector<row> rows;
  for (int byte = 0; byte < 256; ++byte) {
    const char* const outcome = wanted(byte);
    if (outcome == skip) continue;
    std::string input(before);
    input += static_cast<char>(byte);
    rows.push_back({clause, bytes(input.append(after)), outcome});
  }
  std::vector<delivery> all;
  for (const row& r : rows) {
    all.push_back({&r, {}});
    all.push_back({&r, {before.size()}});
    all.push_back({&r, {before.size() + 1}});
  }
  check(all);
}

}  // namespace

TEST_CASE("every byte in a request line", "[conformance]") {
  check_each("RFC 9110 §9.1, §5.6.2: method", "G", "T / HTTP/1.1\r\nHost: h\r\n\r\n", [](int b) {
    if (b == 'E') return "200 next";
    // With a space the method is "G".
    return is_tchar(b) || b == ' ' ? "501 close" : "400 close";
  });
  // A longer token is no method either, since the slash behind it is no tchar.
  check_each("RFC 9112 §3: behind the method", "GET", "/ HTTP/1.1\r\nHost: h\r\n\r\n",
             [](int b) { return b == ' ' ? "200 next" : "400 close"; });
  check_each("RFC 3986 §3.3: path", "GET /a", "bb HTTP/1.1\r\nHost: h\r\n\r\n", [](int b) {
    if (is_one_of(b, "\"<>\\^`{|}[]")) return skip;
    return is_reg_name(b) || is_one_of(b, ":@/?%") ? "200 next" : "400 close";
  });
  check_each("RFC 9112 §2.3: version", "GET / HTTP/1.", "\r\nHost: h\r\n\r\n", [](int b) {
    if (b == '0') return "200 close";
    if (b == '1') return "200 next";
    return is_one_of(b, "23456789") ? "505 close" : "400 close";
  });
  check_each("RFC 9112 §3: behind the version", "GET / HTTP/1.1", "\nHost: h\r\n\r\n",
             [](int b) { return b == '\r' ? "200 next" : "400 close"; });
  check_each("RFC 9112 §2.2: behind its CR", "GET / HTTP/1.1\r", "Host: h\r\n\r\n",
             [](int b) { return b == '\n' ? "200 next" : "400 close"; });
}

TEST_CASE("every byte in a field line", "[conformance]") {
  check_each("RFC 9112 §5: first byte", NEN_GET NEN_HOST, "A: b\r\n\r\n",
             [](int b) { return is_tchar(b) ? "200 next" : "400 close"; });
  check_each("RFC 9110 §5.1: name", NEN_GET NEN_HOST "A", ": b\r\n\r\n",
             [](int b) { return is_tchar(b) || b == ':' ? "200 next" : "400 close"; });
  check_each("RFC 9110 §5.5: value", NEN_GET NEN_HOST "A: b", "c\r\n\r\n",
             [](int b) { return is_value_byte(b) ? "200 next" : "400 close"; });
  check_each("RFC 9110 §5.5: value's first byte", NEN_GET NEN_HOST "A:", "\r\n\r\n",
             [](int b) { return is_value_byte(b) ? "200 next" : "400 close"; });
  check_each("RFC 9112 §2.2: behind a CR", NEN_GET NEN_HOST "A: b\r", "\r\n",
             [](int b) { return b == '\n' ? "200 next" : "400 close"; });
  check_each("RFC 9112 §2.2: behind the last CR", NEN_GET NEN_HOST "\r", "",
             [](int b) { return b == '\n' ? "200 next" : "400 close"; });
  check_each("RFC 3986 §3.2.2: Host", NEN_GET "Host: h", "h\r\n\r\n",
             [](int b) { return is_reg_name(b) ? "200 next" : "400 close"; });
  check_each("RFC 3986 §3.2.3: port", NEN_GET "Host: h:", "\r\n\r\n", [](int b) {
    // White space behind the value is not part of it.
    return is_one_of(b, "0123456789 \t") ? "200 next" : "400 close";
  });
}

TEST_CASE("every byte in the fields that steer a message", "[conformance]") {
  check_each("RFC 9110 §8.6: a length of one byte",
             NEN_POST NEN_HOST "Content-Length: ", "\r\n\r\n", [](int b) {
               if (b == '0') return "200 next";
               return is_one_of(b, "123456789") ? skip : "400 close";
             });
  check_each("RFC 9110 §8.6: a length of two", NEN_POST NEN_HOST "Content-Length: 0", "\r\n\r\n",
             [](int b) {
               if (is_one_of(b, "123456789\t")) return skip;
               return b == '0' || b == ' ' ? "200 next" : "400 close";
             });
  check_each("RFC 9112 §6.1: behind chunked", NEN_POST NEN_HOST "Transfer-Encoding: chunked",
             "\r\n\r\n0\r\n\r\n",
             [](int b) { return b == ' ' || b == '\t' ? "200 next" : "400 close"; });
  check_each("RFC 9112 §6.1: before chunked",
             NEN_POST NEN_HOST "Transfer-Encoding: ", "chunked\r\n\r\n0\r\n\r\n",
             [](int b) { return b == ' ' || b == '\t' ? "200 next" : "400 close"; });
  check_each("RFC 9110 §7.6.1: behind close", NEN_GET NEN_HOST "Connection: close", "\r\n\r\n",
             [](int b) {
               if (is_one_of(b, " \t,")) return "200 close";
               return is_value_byte(b) ? "200 next" : "400 close";
             });
  check_each("RFC 9110 §10.1.1: behind 100-continue", NEN_GET NEN_HOST "Expect: 100-continue",
             "\r\n\r\n", [](int b) {
               if (b == ',') return skip;  // an empty element: nobody sends it
               if (b == ' ' || b == '\t') return "200 next";
               return is_value_byte(b) ? "417 close" : "400 close";
             });
}

TEST_CASE("every byte in a chunked body", "[conformance]") {
  check_each("RFC 9112 §7.1: size", NEN_CHUNKED "0", "\r\nabc\r\n0\r\n\r\n", [](int b) {
    if (b == ';') return skip;
    return b == '3' ? "200 next" : "400 close";  // behind "00", "abc" is no trailer field
  });
  check_each("RFC 9112 §7.1: first byte", NEN_CHUNKED, "\r\n\r\n", [](int b) {
    if (b == '0') return "200 next";
    return hex(b) > 0 ? skip : "400 close";
  });
  check_each("RFC 9112 §7.1.1: extension", NEN_CHUNKED "0;a", "\r\n\r\n", [](int b) {
    if (is_tchar(b)) return "200 next";
    return is_value_byte(b) ? skip : "400 close";
  });
  check_each("RFC 9112 §7.1: behind the size's CR", NEN_CHUNKED "3\r", "abc\r\n0\r\n\r\n",
             [](int b) { return b == '\n' ? "200 next" : "400 close"; });
  check_each("RFC 9112 §7.1: content", NEN_CHUNKED "3\r\na", "c\r\n0\r\n\r\n",
             [](int) { return "200 next"; });
  check_each("RFC 9112 §7.1: behind the content", NEN_CHUNKED "3\r\nabc", "\n0\r\n\r\n",
             [](int b) { return b == '\r' ? "200 next" : "400 close"; });
  check_each("RFC 9112 §7.1: behind that CR", NEN_CHUNKED "3\r\nabc\r", "0\r\n\r\n",
             [](int b) { return b == '\n' ? "200 next" : "400 close"; });
  check_each("RFC 9112 §7.1.2: trailer's first byte", NEN_CHUNKED "0\r\n", "A: b\r\n\r\n",
             [](int b) { return is_tchar(b) ? "200 next" : "400 close"; });
  check_each("RFC 9112 §7.1.2: trailer's name", NEN_CHUNKED "0\r\nA", ": b\r\n\r\n",
             [](int b) { return is_tchar(b) || b == ':' ? "200 next" : "400 close"; });
  check_each("RFC 9112 §7.1.2: trailer's value", NEN_CHUNKED "0\r\nA: b", "c\r\n\r\n",
             [](int b) { return is_value_byte(b) ? "200 next" : "400 close"; });
  check_each("RFC 9112 §7.1: behind the last CR", NEN_CHUNKED "0\r\n\r", "",
             [](int b) { return b == '\n' ? "200 next" : "400 close"; });
}

TEST_CASE("every byte between two requests", "[conformance]") {
  const auto wanted = [](int b) {
    // The next request begins with it: "xGET" is no known method.
    return is_tchar(b) ? "200 501 close" : "200 400 close";
  };
  check_each("RFC 9112 §2.2: behind a head", NEN_GET NEN_HOST "\r\n", "", wanted);
  check_each("RFC 9112 §2.2: behind a body", NEN_POST NEN_HOST "Content-Length: 1\r\n\r\na", "",
             wanted);
  check_each("RFC 9112 §2.2: behind chunks", NEN_CHUNKED "0\r\n\r\n", "", wanted);
}
