// What tests of clients' addresses share: the same scenario on a simulated server and on a real
// one, with clients that come from addresses of their choice.
#pragma once

#include <nen/nen.hpp>
#include <nen/server/client_gate.hpp>
#include <nen/testing/simulated_server.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/test_server.hpp"

namespace nen::test {

inline std::string request_for(std::string_view path, std::string_view more_fields = {}) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(more_fields) +
         "\r\n";
}

/// A server in memory.
template <class Routes, config Config>
class simulated_world {
 public:
  explicit simulated_world(const listen_options& options) : server_(1, {}, options) {
    REQUIRE(server_.opened());
  }

  class client {
   public:
    client(simulated_world& world, std::string_view host)
        : world_(&world), client_(world.server_.connect(*endpoint::parse(host, 4711))) {
      world.server_.settle();
    }
    /// Sends, and reads the answer. @returns  one without a status when there is none
    answer ask(std::string_view bytes) {
      client_.send(bytes);
      world_->server_.settle();
      if (client_.received().empty()) world_->server_.pass(10);  // for one that comes later
      const std::string got = client_.take();
      const auto end = got.find("\r\n\r\n");
      if (end == got.npos) return {};
      answer a = parse_answer_head(std::string_view(got).substr(0, end + 2));
      a.body = got.substr(end + 4);
      return a;
    }
    void send(std::string_view bytes) {
      client_.send(bytes);
      world_->server_.settle();
    }
    /// True when the server has closed and said nothing.
    bool is_refused() {
      world_->server_.settle();
      return client_.received().empty() && (client_.saw_end() || client_.was_reset());
    }
    void close() {
      client_.close();
      world_->server_.settle();
    }

   private:
    simulated_world* world_;
    testing::simulated_client client_;
  };

  client connect(std::string_view host) { return client(*this, host); }
  void pass(std::uint32_t ms) { server_.pass(ms); }
  const shard_counters& counters() { return server_.counters(); }
  static constexpr const char* name = "simulated";

 private:
  testing::simulated_server<Routes, Config> server_;
};

/// A real one, on a loopback address.
template <class Routes, config Config>
class real_world {
  using server = nen::server<Routes, Config>;

 public:
  explicit real_world(const listen_options& options)
      : server_(new server()), running_(*server_, options) {}

  class client {
   public:
    client(real_world& world, std::string_view host)
        : client_(nen::test::client::accepted(connect(world.server_->port(), host))) {}
    answer ask(std::string_view bytes) {
      if (!client_.try_send(bytes)) return {};
      try {
        return client_.read_answer();
      } catch (const std::runtime_error&) {
        return {};
      }
    }
    void send(std::string_view bytes) { (void)client_.try_send(bytes); }
    bool is_refused() {
      return client_.read_end() != stream_end::still_open && client_.rest().empty();
    }
    void close() {
      client_.close();
      ::usleep(20'000);  // the server's shard has to hear of it
    }

   private:
    static int connect(std::uint16_t port, std::string_view host) {
      const int made = ::socket(AF_INET, SOCK_STREAM, 0);
      sockaddr_in from{};
      from.sin_family = AF_INET;
      REQUIRE(::inet_pton(AF_INET, std::string(host).c_str(), &from.sin_addr) == 1);
      sockaddr_in to{};
      to.sin_family = AF_INET;
      to.sin_port = htons(port);
      to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      REQUIRE(::bind(made, reinterpret_cast<sockaddr*>(&from), sizeof from) == 0);
      REQUIRE(::connect(made, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
      return made;
    }
    nen::test::client client_;
  };

  client connect(std::string_view host) { return client(*this, host); }
  void pass(std::uint32_t ms) { ::usleep(ms * 1000 + 10'000); }
  const shard_counters& counters() {
    ::usleep(20'000);
    return server_->counters();
  }
  static constexpr const char* name = "real";

 private:
  std::unique_ptr<server> server_;
  running<server> running_;
};

/// Runs a scenario on both: act(world).
template <class Routes, config Config, class F>
void on_both(const listen_options& options, F act) {
  {
    INFO("simulated");
    simulated_world<Routes, Config> world(options);
    act(world);
  }
  INFO("on the kernel's ring");
  real_world<Routes, Config> world(options);
  act(world);
}

}  // namespace nen::test
