// The load generator's readers: where answers end, in whatever pieces they come.
#include <string>
#include <string_view>
#include <vector>

#include "../../benchmarks/load/echo_reader.hpp"
#include "../../benchmarks/load/response_reader.hpp"
#include "support/catch.hpp"

namespace {

using load::verdict;

struct answer {
  int status;
  std::uint64_t length;
  bool closes;
  bool operator==(const answer&) const = default;
};

/// What a reader makes of the bytes, given to it as two pieces.
struct outcome {
  std::vector<answer> answers;
  bool is_malformed = false;
};

outcome read(std::string_view bytes, std::size_t cut, bool is_head = false) {
  load::response_reader reader;
  outcome out;
  for (std::string_view piece : {bytes.substr(0, cut), bytes.substr(cut)}) {
    while (!piece.empty()) {
      const verdict v = reader.read(piece, is_head);
      if (v == verdict::malformed) {
        out.is_malformed = true;
        return out;
      }
      if (v == verdict::complete)
        out.answers.push_back({reader.status(), reader.length(), reader.closes()});
    }
  }
  if (reader.end()) out.answers.push_back({reader.status(), reader.length(), reader.closes()});
  return out;
}

TEST_CASE("Responses end where they end, wherever they are cut") {
  struct {
    std::string_view bytes;
    bool is_head;
    std::vector<answer> answers;
  } const cases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, {{200, 5, false}}},
      {"HTTP/1.1 200 OK\r\ncontent-length:5\r\nConnection: close\r\n\r\nhello",
       false,
       {{200, 5, true}}},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, {{200, 0, false}}},
      {"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
       false,
       {{204, 0, false}, {404, 2, false}}},
      {"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", true, {{200, 0, false}}},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n", false, {{304, 0, false}}},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
       "5;a=\"b\"\r\nhello\r\n0a\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
       "HTTP/1.1 500 No\r\nContent-Length: 1\r\n\r\n!",
       false,
       {{200, 15, false}, {500, 1, false}}},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
       false,
       {{200, 1, false}}},
      {"HTTP/1.0 200 OK\r\n\r\nall that comes", false, {{200, 14, true}}},
      {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
       false,
       {{200, 1, false}}},
  };
  for (const auto& c : cases) {
    for (std::size_t cut = 0; cut <= c.bytes.size(); ++cut) {
      CAPTURE(c.bytes, cut);
      const outcome found = read(c.bytes, cut, c.is_head);
      CHECK(!found.is_malformed);
      CHECK((found.answers == c.answers));
    }
  }
}

TEST_CASE("What is no response is malformed, wherever it is cut") {
  for (const std::string_view bytes :
       {"HTTP/2 200 OK\r\n\r\n", "hello\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n"}) {
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
      CAPTURE(bytes, cut);
      CHECK(read(bytes, cut).is_malformed);
    }
  }
}

/// Messages that were read, and whether each was equal; "!" at the end when it broke the protocol.
std::string echoes(std::string_view bytes, std::size_t cut, std::string_view expected,
                   bool is_text) {
  load::echo_reader reader(expected, is_text);
  std::string out;
  for (std::string_view piece : {bytes.substr(0, cut), bytes.substr(cut)}) {
    while (!piece.empty()) {
      const verdict v = reader.read_frames(piece);
      if (v == verdict::malformed) return out + '!';
      if (v == verdict::more) continue;
      out += reader.is_equal() && reader.length() == expected.size() ? '=' : '#';
      reader.next();
    }
  }
  return out;
}

std::string frame(unsigned first, std::string_view payload) {
  std::string out{static_cast<char>(first)};
  if (payload.size() <= 125) {
    out += static_cast<char>(payload.size());
  } else if (payload.size() <= 0xffff) {
    out += '\x7e';
    out += static_cast<char>(payload.size() >> 8);
    out += static_cast<char>(payload.size() & 0xff);
  } else {
    out += '\x7f';
    for (unsigned i = 8; i-- > 0;)
      out += static_cast<char>(static_cast<std::uint64_t>(payload.size()) >> (8 * i) & 0xff);
  }
  return out.append(payload);
}

TEST_CASE("WebSocket messages end where they end, wherever they are cut") {
  const std::string hello = "hello";
  struct {
    std::string bytes;
    std::string found;
  } const cases[] = {
      {frame(0x81, hello), "="},
      {frame(0x81, hello) + frame(0x81, hello), "=="},
      {frame(0x01, "he") + frame(0x89, "ping") + frame(0x00, "") + frame(0x80, "llo"), "="},
      {frame(0x81, "hullo") + frame(0x81, hello), "#="},
      {frame(0x81, "hell"), "#"},
      {frame(0x81, "hello!"), "#"},
      {frame(0x81, ""), "#"},
      {frame(0x82, hello), "!"},                      // binary
      {frame(0x81, hello) + frame(0x88, ""), "=!"},   // close
      {frame(0xc1, hello), "!"},                      // compressed
      {frame(0x80, hello), "!"},                      // the end of nothing
      {frame(0x01, "he") + frame(0x81, "llo"), "!"},  // a second message within one
      {std::string("\x81\x85"
                   "1234hello"),
       "!"},  // masked
  };
  for (const auto& c : cases) {
    for (std::size_t cut = 0; cut <= c.bytes.size(); ++cut) {
      CAPTURE(c.bytes, cut);
      CHECK(echoes(c.bytes, cut, hello, true) == c.found);
    }
  }
  for (const std::size_t size : {126U, 65'535U, 65'536U, 70'000U}) {
    const std::string long_one(size, 'x');
    const std::string bytes = frame(0x82, long_one);
    for (const std::size_t cut : {std::size_t{0}, std::size_t{3}, size / 2, bytes.size()})
      CHECK(echoes(bytes + bytes, cut, long_one, false) == "==");
  }
}

TEST_CASE("A message without bytes is an echo of one without bytes") {
  const std::string bytes = frame(0x82, "");
  for (std::size_t cut = 0; cut <= 4; ++cut) CHECK(echoes(bytes + bytes, cut, "", false) == "==");
}

TEST_CASE("Raw bytes are one echo after the other") {
  load::echo_reader reader("abc", false);
  std::string_view bytes = "abcabxab";
  CHECK(reader.read_bytes(bytes) == verdict::complete);
  CHECK(reader.is_equal());
  reader.next();
  CHECK(reader.read_bytes(bytes) == verdict::complete);
  CHECK(!reader.is_equal());
  reader.next();
  CHECK(reader.read_bytes(bytes) == verdict::more);
  CHECK(bytes.empty());
}

}  // namespace
