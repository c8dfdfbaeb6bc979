// The load generator's requests: from options and from a file, and as batches.
#include "../../benchmarks/load/requests.hpp"

#include <unistd.h>

#include <cstdio>
#include <string>

#include "support/catch.hpp"

namespace {

load::options to_host() {
  load::options o;
  o.authority = "h:80";
  return o;
}

/// A file with this content, for as long as it lives.
struct file {
  char path[24] = "/tmp/nen-load-XXXXXX";

  explicit file(std::string_view content) {
    const int fd = ::mkstemp(path);
    REQUIRE(fd >= 0);
    REQUIRE(::write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
    ::close(fd);
  }
  ~file() { ::unlink(path); }
};

TEST_CASE("A request has its fields, and a length where it has a body") {
  load::options o = to_host();
  o.target = "/a?b";
  o.fields = {"X-One: 1"};
  const auto get = load::make_requests(o);
  REQUIRE(get.size() == 1);
  CHECK(get[0].bytes == "GET /a?b HTTP/1.1\r\nHost: h:80\r\nX-One: 1\r\n\r\n");
  CHECK(get[0].closing_bytes ==
        "GET /a?b HTTP/1.1\r\nHost: h:80\r\nX-One: 1\r\nConnection: close\r\n\r\n");
  CHECK(!get[0].is_head);
  o.method = "POST";
  o.fields = {"host: other"};
  o.body_bytes = 28;
  CHECK(load::make_requests(o)[0].bytes ==
        "POST /a?b HTTP/1.1\r\nhost: other\r\nContent-Length: 28\r\n\r\n"
        "abcdefghijklmnopqrstuvwxyzab");
}

TEST_CASE("A file has requests that lines of ### part") {
  for (const std::string_view line_end : {"\n", "\r\n"}) {
    std::string content =
        "GET /one\nX-A: 1\n\n###\nPOST /two HTTP/1.1\nContent-Type: a/b\n\nline one\nline two\n"
        "### a remark\n\nHEAD /three\n";
    for (std::size_t at = 0; line_end.size() == 2 && (at = content.find('\n', at)) != content.npos;
         at += 2)
      content.insert(at, "\r");
    const file written(content);
    load::options o = to_host();
    o.file = written.path;
    const auto requests = load::make_requests(o);
    REQUIRE(requests.size() == 3);
    CHECK(requests[0].bytes == "GET /one HTTP/1.1\r\nHost: h:80\r\nX-A: 1\r\n\r\n");
    const std::string body = "line one" + std::string(line_end) + "line two";
    CHECK(requests[1].bytes ==
          "POST /two HTTP/1.1\r\nHost: h:80\r\nContent-Type: a/b\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body);
    CHECK(requests[2].bytes == "HEAD /three HTTP/1.1\r\nHost: h:80\r\n\r\n");
    CHECK(requests[2].is_head);
  }
}

TEST_CASE("A batch goes round the cycle from any request on") {
  const load::request_cycle cycle({{"a", "", false}, {"bb", "", false}, {"ccc", "", false}}, 7);
  CHECK(cycle.batch(0, 1) == "a");
  CHECK(cycle.batch(2, 1) == "ccc");
  CHECK(cycle.batch(2, 7) == "cccabbcccabbccc");
  CHECK(cycle.batch(1, 4) == "bbcccabb");
  CHECK(cycle.at(4).bytes == "bb");
}

TEST_CASE("A client's frame is masked") {
  load::options o = to_host();
  o.protocol = load::protocol::websocket;
  o.message_bytes = 5;
  o.is_text = true;
  const std::string frame = load::make_requests(o)[0].bytes;
  REQUIRE(frame.size() == 2 + 4 + 5);
  CHECK(frame.substr(0, 2) == "\x81\x85");
  std::string payload;
  for (std::size_t i = 0; i < 5; ++i) payload += static_cast<char>(frame[6 + i] ^ frame[2 + i % 4]);
  CHECK(payload == "abcde");
}

}  // namespace
