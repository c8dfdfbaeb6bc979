// A load of small echoes: each connection sends a message and waits until as many bytes as are due
// have come back. Plain bytes, for the floor, or WebSocket messages. Prints how many echoes there
// were; the server's CPU time is asked of the system by compare.py.
//   echo_load --port P [--path /ws] [--connections N] [--bytes N] [--seconds N]
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <nen/ws/frame.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace ws = nen::ws;

struct options {
  std::uint16_t port = 0;
  std::string path;
  unsigned connections = 64;
  unsigned bytes = 20;
  unsigned seconds = 2;
};

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

int connect_to(const options& o) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(o.port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) fail("connect");
  if (o.path.empty()) return fd;
  const std::string request = "GET " + o.path +
                              " HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                              "Sec-WebSocket-Version: 13\r\n\r\n";
  if (::send(fd, request.data(), request.size(), 0) < 0) fail("send");
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    char byte = 0;
    if (::recv(fd, &byte, 1, 0) != 1) fail("handshake");
    head += byte;
  }
  if (!head.starts_with("HTTP/1.1 101 ")) {
    std::fprintf(stderr, "no WebSocket: %s\n", head.c_str());
    std::exit(1);
  }
  return fd;
}

/// The message as it is sent.
std::string make_message(const options& o) {
  std::string payload(o.bytes, 'x');
  if (o.path.empty()) return payload + std::string(ws::frame_head_size(o.bytes, true), 'h');
  char head[ws::masked_frame_head_bytes_max];
  const ws::masking_key key = {1, 2, 3, 4};
  char* const end = ws::write_masked_frame_head(head, {.opcode = ws::opcode::binary}, o.bytes, key);
  for (std::size_t i = 0; i < payload.size(); ++i)
    payload[i] = static_cast<char>(payload[i] ^ key[i % 4]);
  return std::string(head, end) + payload;
}

bool parse(int argc, char** argv, options& o) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const auto number = static_cast<unsigned>(std::strtoul(argv[i + 1], nullptr, 10));
    if (name == "--port") {
      o.port = static_cast<std::uint16_t>(number);
    } else if (name == "--path") {
      o.path = argv[i + 1];
    } else if (name == "--connections") {
      o.connections = number;
    } else if (name == "--bytes") {
      o.bytes = number;
    } else if (name == "--seconds") {
      o.seconds = number;
    } else {
      return false;
    }
  }
  return o.port != 0 && argc % 2 == 1 && o.connections != 0;
}

}  // namespace

int main(int argc, char** argv) {
  options o;
  if (!parse(argc, argv, o)) {
    std::fprintf(stderr,
                 "usage: %s --port P [--path /ws] [--connections N] [--bytes N] [--seconds N]\n",
                 argv[0]);
    return 2;
  }
  const std::string message = make_message(o);
  const std::size_t due = o.path.empty() ? message.size() : ws::frame_head_size(o.bytes) + o.bytes;
  const int events = ::epoll_create1(0);
  std::vector<std::size_t> got(1U << 16);
  for (unsigned i = 0; i < o.connections; ++i) {
    const int fd = connect_to(o);
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.fd = fd;
    ::epoll_ctl(events, EPOLL_CTL_ADD, fd, &wanted);
    if (::send(fd, message.data(), message.size(), 0) < 0) fail("send");
  }
  using clock = std::chrono::steady_clock;
  const auto end = clock::now() + std::chrono::seconds(o.seconds);
  std::uint64_t echoes = 0;
  std::vector<char> room(1U << 20);
  while (clock::now() < end) {
    epoll_event ready[256];
    const int count = ::epoll_wait(events, ready, 256, 1000);
    for (int i = 0; i < count; ++i) {
      const int fd = ready[i].data.fd;
      const auto read = ::recv(fd, room.data(), room.size(), MSG_DONTWAIT);
      if (read <= 0) fail("recv");
      auto& so_far = got[static_cast<std::size_t>(fd)];
      so_far += static_cast<std::size_t>(read);
      if (so_far < due) continue;
      if (so_far > due) fail("more than was due");
      so_far = 0;
      ++echoes;
      if (::send(fd, message.data(), message.size(), MSG_NOSIGNAL) < 0) fail("send");
    }
  }
  std::printf("%llu echoes in %u s\n", static_cast<unsigned long long>(echoes), o.seconds);
  return 0;
}
