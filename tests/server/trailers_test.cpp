// Trailer fields of requests over the kernel's ring: gathered and streamed bodies, answers that
// come later, every cut.
#include <cstdio>
#include <string>

#include "support/test_server.hpp"

using nen::test::client;
using nen::test::running;

namespace {

/// Says what arrived: "body|name=value …".
nen::reply describe(std::string_view body, const nen::request& req, nen::response& res) {
  res.begin("text/plain").write(body).write("|");
  for (const nen::field f : req.trailers()) res.write(f.name).write("=").write(f.value).write(" ");
  return res.finish();
}

nen::reply whole(const nen::request& req, nen::response& res) {
  return describe(req.body(), req, res);
}

nen::reply later(nen::response& res) {
  res.defer().after(
      5, [](const nen::request& q, nen::response& r) { return describe(q.body(), q, r); });
  return res.later();
}

struct counts {
  std::uint32_t bytes = 0;
  std::uint32_t early = 0;  ///< parts that had trailers and were not the last
};

nen::reply say(const counts& sum, const nen::request& q, nen::response& r) {
  char text[32];
  const int size = std::snprintf(text, sizeof text, "%u/%u", sum.bytes, sum.early);
  return describe({text, static_cast<std::size_t>(size)}, q, r);
}

nen::reply parts(nen::response& res) {
  return res.receive([sum = counts{}](const nen::body_part& part, nen::response& r) mutable {
    sum.bytes += static_cast<std::uint32_t>(part.bytes.size());
    if (part.is_last) return say(sum, part.request, r);
    if (!part.request.trailers().empty()) ++sum.early;
    return r.more();
  });
}

nen::reply parts_later(nen::response& res) {
  return res.receive([](const nen::body_part& part, nen::response& r) {
    if (!part.is_last) return r.more();
    r.defer().after(
        5, [](const nen::request& q, nen::response& x) { return describe("later", q, x); });
    return r.later();
  });
}

using routes = nen::router<nen::post<"/whole", whole>, nen::post<"/later", later>,
                           nen::streamed<nen::post<"/parts", parts>>,
                           nen::streamed<nen::post<"/parts-later", parts_later>>,
                           nen::get<"/", [](nen::response& r) { return r.text("hi"); }>>;

constexpr nen::config sizes{.connections = 16,
                            .receive_buffers = 16,
                            .receive_buffer_bytes = 1024,
                            .send_slots = 16,
                            .send_slot_bytes = 2048,
                            .response_bytes_max = 4096,
                            .head_slots = 4,
                            .head_bytes_max = 512,
                            .fields_max = 8,
                            .target_bytes_max = 256,
                            .body_slots = 2,
                            .body_bytes_max = 2048};
nen::server<routes, sizes> server;

const std::string next = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

std::string head(std::string_view path) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
}

/// A chunked message with the content "abcde".
std::string message(std::string_view path, std::string_view lines) {
  return head(path) + "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n" + std::string(lines) + "\r\n";
}

constexpr std::string_view some = "Content-Digest: d=:YQ==:\r\nHost: evil\r\nX-Empty:\r\n";
const std::string seen = "|Content-Digest=d=:YQ==: X-Empty= ";

struct row {
  const char* path;
  std::string content;
};
const row ways[] = {
    {"/whole", "abcde"}, {"/later", "abcde"}, {"/parts", "5/0"}, {"/parts-later", "later"}};

}  // namespace

TEST_CASE("handlers see trailers, wherever the network cuts the request", "[server]") {
  running run(server);
  client other = run.connect();
  for (const row& way : ways) {
    const std::string text = message(way.path, some) + next;
    for (std::size_t cut = 1; cut <= text.size(); ++cut) {
      INFO(way.path << ", cut before byte " << cut);
      client c = run.connect();
      c.send(text.substr(0, cut));
      CHECK(other.ask(next).body == "hi");  // its round trip lets the first piece arrive alone
      c.send(text.substr(cut));
      CHECK(c.read_answer().body == way.content + seen);
      CHECK(c.read_answer().body == "hi");
    }
  }
}

TEST_CASE("handlers see trailers that come byte by byte", "[server]") {
  running run(server);
  client other = run.connect();
  for (const row& way : ways) {
    INFO(way.path);
    client c = run.connect();
    for (const char byte : message(way.path, some)) {
      c.send({&byte, 1});
      CHECK(other.ask(next).body == "hi");
    }
    CHECK(c.read_answer().body == way.content + seen);
  }
}

TEST_CASE("no trailer of one request is seen in the next", "[server]") {
  running run(server);
  for (const row& way : ways) {
    INFO(way.path);
    client c = run.connect();
    c.send(message(way.path, some) + message(way.path, "") + message(way.path, "A: b\r\n") +
           "POST /whole HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx");
    CHECK(c.read_answer().body == way.content + seen);
    CHECK(c.read_answer().body == way.content + "|");
    CHECK(c.read_answer().body == way.content + "|A=b ");
    CHECK(c.read_answer().body == "x|");
  }
}

TEST_CASE("head and trailers fill a head slot to its last byte, and no further", "[server]") {
  running run(server);
  client other = run.connect();
  for (const row& way : ways) {
    const std::string before = head(way.path) + "5\r\nabcde\r\n0\r\nT:";
    const std::string value(sizes.head_bytes_max - head(way.path).size() - 4, 'v');
    for (const bool in_pieces : {false, true}) {
      INFO(way.path << " in pieces: " << in_pieces);
      client fits = run.connect();
      fits.send(in_pieces ? before : before + value + "\r\n\r\n");
      CHECK(other.ask(next).body == "hi");
      if (in_pieces) fits.send(value);
      CHECK(other.ask(next).body == "hi");
      if (in_pieces) fits.send("\r\n\r\n");
      CHECK(fits.read_answer().body == way.content + "|T=" + value + " ");
      client more = run.connect();
      more.send(in_pieces ? before : before + value + "v\r\n\r\n");
      CHECK(other.ask(next).body == "hi");
      if (in_pieces) more.send(value + "v\r\n\r\n");
      CHECK(more.read_answer().status == 431);
      CHECK(more.is_closed_next());
    }
  }
}

TEST_CASE("a body as long as allowed may have trailers", "[server]") {
  running run(server);
  const std::string content(sizes.body_bytes_max, 'x');
  client c = run.connect();
  CHECK(c.ask(head("/whole") + "800\r\n" + content + "\r\n0\r\nA: b\r\n\r\n").body ==
        content + "|A=b ");
}

TEST_CASE("the lines of a request's head and trailers are counted together", "[server]") {
  running run(server);
  for (const row& way : ways) {
    INFO(way.path);
    std::string lines;
    for (int i = 0; i < 6; ++i) lines += "A:\r\n";  // the head has two
    client fits = run.connect();
    CHECK(fits.ask(message(way.path, lines)).body == way.content + "|A= A= A= A= A= A= ");
    client more = run.connect();
    CHECK(more.ask(message(way.path, lines + "A:\r\n")).status == 431);
    CHECK(more.is_closed_next());
  }
}
