// A small blocking client for tests: connects, sends, reads with a deadline, and takes answers
// apart strictly. What goes wrong is thrown, so that a test case fails with the reason.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace nen::test {

/// One answer, taken apart.
struct answer {
  int status = 0;
  int minor = 0;  ///< HTTP/1.minor
  std::string reason;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;

  static bool same_name(std::string_view a, std::string_view b) {
    return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
  }
  std::size_t count(std::string_view name) const {
    return static_cast<std::size_t>(std::count_if(
        fields.begin(), fields.end(), [&](const auto& f) { return same_name(f.first, name); }));
  }
  /// The value of the one field of this name; empty when there is none or there are several.
  std::string field(std::string_view name) const {
    if (count(name) != 1) return {};
    for (const auto& [n, value] : fields)
      if (same_name(n, name)) return value;
    return {};
  }
  bool says_close() const { return field("Connection") == "close"; }
};

/// Takes the status line and the fields apart, RFC 9112 §4 and §5.
/// @param head  everything before the empty line, with each line's CRLF
inline answer parse_answer_head(std::string_view head) {
  const auto fail = [&](const char* why) {
    throw std::runtime_error(std::string(why) + " in: " + std::string(head.substr(0, 400)));
  };
  auto next_line = [&, left = head]() mutable {
    const auto end = left.find("\r\n");
    if (end == left.npos) fail("a line without CRLF");
    const auto line = left.substr(0, end);
    left.remove_prefix(end + 2);
    return std::pair(line, left.empty());
  };
  answer a;
  auto [line, last] = next_line();
  if (line.size() < 13 || line.substr(0, 7) != "HTTP/1." || line[8] != ' ' || line[12] != ' ')
    fail("bad status line");
  a.minor = line[7] - '0';
  for (const char digit : line.substr(9, 3)) {
    if (digit < '0' || digit > '9') fail("bad status code");
    a.status = a.status * 10 + (digit - '0');
  }
  a.reason = line.substr(13);
  while (!last) {
    std::tie(line, last) = next_line();
    const auto colon = line.find(':');
    if (colon == line.npos || colon == 0) fail("a field line without a name");
    if (line.find_first_of(" \t") < colon) fail("a space in a field name");
    if (line.find_first_of(std::string_view("\r\n\0", 3)) != line.npos)
      fail("a stray CR, LF or NUL");
    auto value = line.substr(colon + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t'))
      value.remove_prefix(1);
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
    a.fields.emplace_back(line.substr(0, colon), value);
  }
  return a;
}

/// How a stream of bytes ended.
enum class stream_end { closed, reset, still_open };

/// A connection. Every read gives up after `patience` milliseconds.
class client {
 public:
  int patience = 10'000;

  explicit client(std::uint16_t port, int receive_buffer = 0) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    open(AF_INET, to, sizeof to, receive_buffer);
  }
  static client over_ipv6(std::uint16_t port) {
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(port);
    to.sin6_addr = in6addr_loopback;
    return client(AF_INET6, to, sizeof to);
  }
  /// @param path  of a Unix socket; one that begins with '@' is abstract
  static client over_unix(std::string_view path) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    path.copy(to.sun_path, sizeof to.sun_path - 1);
    if (to.sun_path[0] == '@') to.sun_path[0] = 0;
    const auto size = offsetof(sockaddr_un, sun_path) + path.size() + (path[0] == '@' ? 0 : 1);
    return client(AF_UNIX, to, static_cast<socklen_t>(size));
  }
  /// The other end of a connection that came from the library.
  static client accepted(int descriptor) {
    client c;
    c.fd_ = descriptor;
    return c;
  }
  client(client&& other) noexcept
      : patience(other.patience),
        fd_(std::exchange(other.fd_, -1)),
        input_(std::move(other.input_)),
        at_(other.at_) {}
  client& operator=(client&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(input_, other.input_);
    std::swap(at_, other.at_);
    return *this;
  }
  ~client() { close(); }

  int descriptor() const { return fd_; }

  /// Sends everything, or throws.
  void send(std::string_view bytes) {
    if (!try_send(bytes)) throw std::runtime_error(std::string("send: ") + std::strerror(errno));
  }
  /// @returns  false when the peer does not take all of it
  bool try_send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// Sends everything while it takes in what comes, so that neither side waits for the other.
  void send_while_reading(std::string_view bytes) {
    while (!bytes.empty()) {
      pollfd p{fd_, POLLIN | POLLOUT, 0};
      if (::poll(&p, 1, patience) <= 0)
        throw std::runtime_error("nothing moves in either direction");
      if ((p.revents & POLLIN) != 0 && take_in() != got::bytes)
        throw std::runtime_error("the peer closed while it was sent to");
      if ((p.revents & POLLOUT) == 0) continue;
      const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno != EAGAIN) throw std::runtime_error(std::strerror(errno));
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  /// Sends what the kernel takes without waiting. @returns  how much that was
  std::size_t send_what_fits(std::string_view bytes) {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent > 0 ? static_cast<std::size_t>(sent) : 0;
  }

  /// Reads exactly this many bytes, or throws.
  std::string read_bytes(std::size_t size) {
    while (input_.size() - at_ < size) need_more();
    at_ += size;
    return input_.substr(at_ - size, size);
  }

  /// Reads one answer, whose body is as long as its Content-Length says.
  /// @param to_head  the request was HEAD: no body follows
  answer read_answer(bool to_head = false) {
    auto end = input_.npos;
    for (std::size_t from = at_; (end = input_.find("\r\n\r\n", from)) == input_.npos;) {
      from = std::max(at_, input_.size() - std::min<std::size_t>(input_.size(), 3));
      need_more();
    }
    answer a = parse_answer_head(std::string_view(input_).substr(at_, end + 2 - at_));
    at_ = end + 4;
    const bool bodiless = a.status < 200 || a.status == 204 || a.status == 304;
    if (a.count("Transfer-Encoding") != 0) throw std::runtime_error("unexpected Transfer-Encoding");
    if (a.count("Content-Length") != (bodiless ? a.count("Content-Length") : 1))
      throw std::runtime_error("not exactly one Content-Length");
    if (!bodiless && !to_head) a.body = read_bytes(std::stoul(a.field("Content-Length")));
    if (at_ > 64 * 1024) {
      input_.erase(0, at_);
      at_ = 0;
    }
    return a;
  }

  /// Sends a request and reads its answer.
  answer ask(std::string_view request, bool to_head = false) {
    send(request);
    return read_answer(to_head);
  }

  /// Reads until the stream ends; what came is in rest().
  stream_end read_end() {
    while (true) {
      switch (take_in()) {
        case got::bytes:
          break;
        case got::end:
          return stream_end::closed;
        case got::reset:
          return stream_end::reset;
        case got::nothing:
          return stream_end::still_open;
      }
    }
  }
  /// True when the peer closes in order, having sent nothing more.
  bool is_closed_next() { return read_end() == stream_end::closed && rest().empty(); }
  std::string_view rest() const { return std::string_view(input_).substr(at_); }

  /// True when nothing comes within this time and the connection stays open.
  bool is_quiet_for(int milliseconds) {
    pollfd p{fd_, POLLIN, 0};
    return rest().empty() && ::poll(&p, 1, milliseconds) == 0;
  }

  /// Sends no more, goes on reading.
  void finish_sending() { ::shutdown(fd_, SHUT_WR); }
  /// Closes with a reset instead of an end.
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  enum class got { bytes, end, reset, nothing };

  client() = default;
  template <class Address>
  client(int family, const Address& to, socklen_t size) {
    open(family, to, size, 0);
  }

  template <class Address>
  void open(int family, const Address& to, socklen_t size, int receive_buffer) {
    fd_ = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer != 0)
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    const int on = 1;
    if (family != AF_UNIX) ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const timeval limit{10, 0};  // a send that nobody takes must not hang the whole suite
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), size) == 0) return;
    if (errno == EINTR) {  // a ring of this thread's interrupts calls; the connect itself goes on
      pollfd ready{fd_, POLLOUT, 0};
      while (::poll(&ready, 1, -1) < 0 && errno == EINTR) continue;
      int problem = 0;
      socklen_t bytes = sizeof problem;
      if (::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &problem, &bytes) == 0 && problem == 0) return;
      errno = problem;
    }
    const int problem = errno;
    close();
    throw std::runtime_error(std::string("connect: ") + std::strerror(problem));
  }

  got take_in() {
    pollfd p{fd_, POLLIN, 0};
    if (::poll(&p, 1, patience) <= 0) return got::nothing;
    const auto before = input_.size();
    input_.resize(before + 64 * 1024);
    const auto read = ::recv(fd_, input_.data() + before, 64 * 1024, 0);
    input_.resize(before + (read > 0 ? static_cast<std::size_t>(read) : 0));
    return read > 0 ? got::bytes : read == 0 ? got::end : got::reset;
  }
  void need_more() {
    switch (take_in()) {
      case got::bytes:
        return;
      case got::end:
        throw std::runtime_error("the peer closed; unread: " + std::string(rest()));
      case got::reset:
        throw std::runtime_error("the peer reset; unread: " + std::string(rest()));
      case got::nothing:
        throw std::runtime_error("nothing came; unread: " + std::string(rest()));
    }
  }

  int fd_ = -1;
  std::string input_;
  std::size_t at_ = 0;  // of input_, the first byte that was not handed out
};

}  // namespace nen::test
