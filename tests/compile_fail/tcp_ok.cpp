// Every function that a session of raw TCP can have, in every form that it may have.
#include <nen/nen.hpp>

struct app {};
struct counted {
  int count = 0;
};

struct base {
  void on_end(nen::tcp::peer& me) const noexcept { me.close(); }
};
struct session final : base {
  session() noexcept : bytes(0) {}
  ~session() { bytes = 0; }

  void on_open(nen::tcp::peer& me, const app&) { me.set_timeout(5); }
  std::size_t on_data(nen::tcp::peer& me, std::span<const std::byte> all, app&, counted& c) {
    c.count += 1;
    bytes += all.size();
    return me.send(all);
  }
  void on_writable(nen::tcp::peer& me) noexcept { me.resume(); }
  void on_timeout(nen::tcp::peer& me, counted&) const { me.abort(); }
  void on_drain(nen::tcp::peer& me) { me.finish(); }
  void on_close(nen::tcp::peer&, nen::tcp::close_reason, counted&) {}

  std::size_t bytes;

 private:
  int on_helper() { return 0; }
};
struct listener {
  void on_data(nen::tcp::peer&, std::string_view) noexcept {}
};
struct no_session {
  void on_date(nen::tcp::peer&, std::string_view) {}
};
static_assert(nen::tcp::session<session> && nen::tcp::session<listener>);
static_assert(!nen::tcp::session<no_session> && !nen::tcp::session<int>);

static nen::tcp::server<session, nen::config{.shards = 2}, app, counted> server;
static nen::tcp::server<listener> other;
static_assert(sizeof(other) <= 16 * nen::MiB);

int main() {
  if (const auto started = other.start({.port = 0}); !started) return started.exit_code();
  other.stop();
  other.join();
  return server.run().exit_code();
}
