// Boost.Beast, asynchronous and on one thread. After its examples "fast" and "advanced" and Asio's
// advice: io_context with concurrency hint 1, the executor's concrete type instead of
// any_io_executor, no strands, flat_buffer, TCP_NODELAY, sockets without Beast's timers. WebSocket
// messages without compression, and not fragmented. The room /ws/room is that of its example
// "chat-multi": who is in it is a set, and a message is one shared string that waits in the queue
// of each member. Beast has no router: a hash table is one.
// Asio 1.74 uses std::exchange without including it.
#include <utility>

#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using tcp = asio::ip::tcp;
using executor = asio::io_context::executor_type;
using tcp_socket = asio::basic_stream_socket<tcp, executor>;
using request = http::request<http::string_body>;

namespace {

std::string alphabet(1 << 20, 'a');

enum class page { plaintext, json, echo, bytes, item };
std::unordered_map<std::string, page> pages;

void make_pages() {
  for (std::size_t i = 0; i < alphabet.size(); ++i) alphabet[i] = static_cast<char>('a' + i % 26);
  pages = {{"/plaintext", page::plaintext},
           {"/json", page::json},
           {"/echo", page::echo},
           {"/bytes", page::bytes}};
  for (int i = 0; i < 100; ++i) {
    const std::string digits{static_cast<char>('0' + i / 10), static_cast<char>('0' + i % 10)};
    pages["/api/resource_" + digits] = page::item;
  }
}

using web_stream = websocket::stream<tcp_socket, false>;

void tune(web_stream& stream) {
  stream.set_option(websocket::stream_base::timeout{websocket::stream_base::none(),
                                                    websocket::stream_base::none(), false});
  stream.auto_fragment(false);
}

class web_socket : public std::enable_shared_from_this<web_socket> {
 public:
  web_socket(tcp_socket&& socket, request&& upgrade)
      : stream_(std::move(socket)), upgrade_(std::move(upgrade)) {}

  void run() {
    tune(stream_);
    stream_.async_accept(upgrade_, [self = shared_from_this()](beast::error_code error) {
      if (!error) self->read();
    });
  }

 private:
  void read() {
    stream_.async_read(buffer_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (!error) self->write();
    });
  }
  void write() {
    stream_.text(stream_.got_text());
    stream_.async_write(buffer_.data(),
                        [self = shared_from_this()](beast::error_code error, std::size_t) {
                          if (error) return;
                          self->buffer_.clear();
                          self->read();
                        });
  }

  web_stream stream_;
  request upgrade_;
  beast::flat_buffer buffer_;
};

/// What anybody said, for everybody.
struct saying {
  std::string bytes;
  bool is_text;
};

class room_member : public std::enable_shared_from_this<room_member> {
 public:
  room_member(tcp_socket&& socket, request&& upgrade)
      : stream_(std::move(socket)), upgrade_(std::move(upgrade)) {}
  ~room_member() { everybody.erase(this); }

  void run() {
    tune(stream_);
    stream_.async_accept(upgrade_, [self = shared_from_this()](beast::error_code error) {
      if (error) return;
      everybody.insert(self.get());
      self->read();
    });
  }

 private:
  void read() {
    stream_.async_read(buffer_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (error) {
        everybody.erase(self.get());
        return;
      }
      self->say_to_all();
      self->read();
    });
  }

  void say_to_all() {
    const auto said = std::make_shared<const saying>(
        saying{beast::buffers_to_string(buffer_.data()), stream_.got_text()});
    buffer_.clear();
    for (room_member* const member : everybody) member->hear(said);
  }

  void hear(const std::shared_ptr<const saying>& said) {
    unsent_.push_back(said);
    if (unsent_.size() == 1) write();  // the others follow when this one is sent
  }

  void write() {
    stream_.text(unsent_.front()->is_text);
    stream_.async_write(asio::buffer(unsent_.front()->bytes),
                        [self = shared_from_this()](beast::error_code error, std::size_t) {
                          if (error) {
                            everybody.erase(self.get());
                            return;
                          }
                          self->unsent_.pop_front();
                          if (!self->unsent_.empty()) self->write();
                        });
  }

  static std::unordered_set<room_member*> everybody;

  web_stream stream_;
  request upgrade_;
  beast::flat_buffer buffer_;
  std::deque<std::shared_ptr<const saying>> unsent_;
};

std::unordered_set<room_member*> room_member::everybody;

class session : public std::enable_shared_from_this<session> {
 public:
  explicit session(tcp_socket&& socket) : socket_(std::move(socket)) {
    buffer_.reserve(65536);  // it reads as much at once as there is room for, and 512 bytes if none
  }

  void read() {
    parser_.emplace();
    parser_->body_limit(2 << 20);
    http::async_read(socket_, buffer_, *parser_,
                     [self = shared_from_this()](beast::error_code error, std::size_t) {
                       if (!error) return self->answer();
                       self->socket_.shutdown(tcp::socket::shutdown_send, error);
                     });
  }

 private:
  void answer() {
    request asked = parser_->release();
    if (websocket::is_upgrade(asked)) {
      if (asked.target() == "/ws/room") {
        std::make_shared<room_member>(std::move(socket_), std::move(asked))->run();
      } else {
        std::make_shared<web_socket>(std::move(socket_), std::move(asked))->run();
      }
      return;
    }
    const std::string_view path(asked.target().data(), asked.target().size());
    auto found = pages.find(std::string(path));
    std::string_view last;
    if (found == pages.end()) {
      const auto slash = path.rfind('/');
      found = pages.find(std::string(path.substr(0, slash)));
      last = path.substr(slash + 1);
    }
    const bool keeps = asked.keep_alive();
    if (found == pages.end()) return send(http::status::not_found, "text/plain", {}, keeps);
    switch (found->second) {
      case page::plaintext:
        return send(http::status::ok, "text/plain; charset=utf-8", "Hello, World!", keeps);
      case page::json:
        return send(http::status::ok, "application/json", R"({"message":"Hello, World!"})", keeps);
      case page::echo:
        body_ = std::move(asked.body());
        return send(http::status::ok, "application/octet-stream", body_, keeps);
      case page::item:
        body_ = last;
        return send(http::status::ok, "text/plain; charset=utf-8", body_, keeps);
      case page::bytes: {
        const auto count = std::strtoul(std::string(last).c_str(), nullptr, 10);
        return send(http::status::ok, "application/octet-stream",
                    std::string_view(alphabet).substr(0, count), keeps);
      }
    }
  }

  /// @param body  outlives the response: nothing is copied
  void send(http::status status, std::string_view type, std::string_view body, bool keeps) {
    response_.emplace(status, 11);
    response_->set(http::field::server, "beast");
    response_->set(http::field::content_type, beast::string_view(type.data(), type.size()));
    response_->body() = http::span_body<const char>::value_type(body.data(), body.size());
    response_->keep_alive(keeps);
    response_->prepare_payload();
    http::async_write(socket_, *response_,
                      [self = shared_from_this(), keeps](beast::error_code error, std::size_t) {
                        if (error) return;
                        if (keeps) return self->read();
                        self->socket_.shutdown(tcp::socket::shutdown_send, error);
                      });
  }

  tcp_socket socket_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::span_body<const char>>> response_;
  std::string body_;
};

using tcp_acceptor = asio::basic_socket_acceptor<tcp, executor>;

void accept(tcp_acceptor& acceptor) {
  acceptor.async_accept([&acceptor](beast::error_code error, tcp_socket socket) {
    if (!error) {
      socket.set_option(tcp::no_delay(true));
      std::make_shared<session>(std::move(socket))->read();
    }
    accept(acceptor);
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  make_pages();
  asio::io_context context(1);
  const tcp::endpoint where(asio::ip::make_address("127.0.0.1"),
                            static_cast<unsigned short>(std::atoi(argv[1])));
  tcp_acceptor acceptor(context.get_executor(), where);
  acceptor.listen(4096);
  asio::basic_signal_set<executor> signals(context.get_executor(), SIGINT, SIGTERM);
  signals.async_wait([&context](beast::error_code, int) { context.stop(); });
  accept(acceptor);
  context.run();
}
