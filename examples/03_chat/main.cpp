// A chat for people on one network: http://localhost:8080/ is a page that talks over a WebSocket.
//
// What the page sends: its user's name first, then a line of text in each message. What it is sent
// is JSON, one object a message; "kind" is "line", "joined" or "left".
#include <nen/nen.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string_view>

#include "../common/arguments.hpp"
#include "page.hpp"

namespace {

constexpr std::size_t name_characters_max = 32;
constexpr std::size_t name_bytes_max = 4 * name_characters_max;
constexpr std::size_t line_bytes_max = 1 * nen::KiB;

/// One JSON object that is written from left to right. What is put into it was cleaned before, so
/// that quotes and backslashes are all that has to be escaped.
class json_text {
 public:
  json_text& raw(std::string_view text) {
    NEN_ASSERT(size_ + text.size() <= sizeof bytes_);
    std::memcpy(bytes_ + size_, text.data(), text.size());
    size_ += text.size();
    return *this;
  }
  json_text& quoted(std::string_view text) {
    raw("\"");
    for (const char& c : text) {
      if (c == '"' || c == '\\') raw("\\");
      raw({&c, 1});
    }
    return raw("\"");
  }
  json_text& number(std::uint64_t value) {
    char digits[20];
    return raw({digits, static_cast<std::size_t>(nen::write_decimal(digits, value) - digits)});
  }
  std::string_view view() const { return {bytes_, size_}; }

 private:
  std::size_t size_ = 0;
  char bytes_[2 * (name_bytes_max + line_bytes_max) + 128];  // every byte escaped, and the rest
};

/// The last lines, for those who come later. Their numbers go on from the time that the server was
/// started at, so that they only rise, also for a page that was there before.
class history {
 public:
  static constexpr std::uint64_t kept = 100;

  json_text& add() { return lines_[++last_ % kept] = {}; }
  std::uint64_t last() const { return last_; }
  std::uint64_t before_first() const { return std::max(begin_, last_ - kept); }
  std::string_view operator[](std::uint64_t number) const { return lines_[number % kept].view(); }

 private:
  std::uint64_t begin_ = static_cast<std::uint64_t>(std::time(nullptr)) << 20;
  std::uint64_t last_ = begin_;
  std::array<json_text, kept> lines_;
};

/// The state, one object of the server's. One shard, the default, means one thread: no locks.
struct lobby {
  nen::ws::group<1024> room;
  history said;

  /// Whoever is too far behind to hear it is closed, comes again, and is shown what he missed.
  void tell_all(std::string_view text) { room.broadcast(text, nen::ws::slow_peer::close); }
  void tell_all_that(std::string_view kind, std::string_view name) {
    json_text out;
    out.raw("{\"kind\":").quoted(kind).raw(",\"name\":").quoted(name);
    tell_all(out.raw(",\"here\":").number(room.size()).raw("}").view());
  }
};

/// Without white space around it, and with spaces for control characters (which JSON would not
/// have). Text in messages is always UTF-8, and the library has checked that.
template <std::size_t N>
std::string_view cleaned(std::string_view text, char (&into)[N]) {
  NEN_ASSERT(text.size() <= N);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    into[i] = byte < 0x20 || byte == 0x7f ? ' ' : text[i];
  }
  return nen::trim_ows({into, text.size()});
}

std::size_t characters_in(std::string_view utf8) {
  std::size_t count = 0;
  for (const char c : utf8) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return count;
}

/// One person, from his page's arrival on.
struct chatter {
  // Other people's pages shall not talk in our user's name.
  static constexpr nen::ws::options options = {.same_origin = true};

  void on_message(nen::ws::peer& me, const nen::ws::message& m, lobby& all) {
    if (!m.is_text) return me.close(nen::ws::close_code::unsupported_data, "text only");
    char buffer[line_bytes_max];  // config::ws_message_bytes_max: the library refuses longer ones
    const auto text = cleaned(m.bytes, buffer);
    if (name_size_ == 0) return enter(me, text, all);
    if (!is_in_ || text.empty()) return;
    json_text& line = all.said.add();
    line.raw("{\"kind\":\"line\",\"number\":").number(all.said.last());
    line.raw(",\"at\":").number(static_cast<std::uint64_t>(std::time(nullptr)));
    line.raw(",\"name\":").quoted(name()).raw(",\"text\":").quoted(text).raw("}");
    all.tell_all(line.view());
  }

  /// There is room again: on with what was said before he came.
  void on_drain(nen::ws::peer& me, lobby& all) {
    if (name_size_ != 0 && !is_in_) show_history(me, all);
  }

  void on_close(nen::ws::peer&, nen::ws::close_code, std::string_view, lobby& all) {
    if (is_in_) all.tell_all_that("left", name());
  }

 private:
  std::string_view name() const { return {name_, name_size_}; }

  void enter(nen::ws::peer& me, std::string_view name, lobby& all) {
    if (name.empty() || characters_in(name) > name_characters_max)
      return me.close(nen::ws::close_code::policy_violation, "A name has 1 to 32 characters.");
    std::memcpy(name_, name.data(), name.size());
    name_size_ = name.size();
    show_history(me, all);
  }

  /// Shows line after line; where the peer falls behind, on_drain goes on. Who has seen all is in.
  void show_history(nen::ws::peer& me, lobby& all) {
    shown_ = std::max(shown_, all.said.before_first());
    for (; shown_ != all.said.last(); ++shown_)
      if (me.send(all.said[shown_ + 1]) != nen::ws::send_result::sent) return;
    if (!all.room.join(me))
      return me.close(nen::ws::close_code::try_again_later, "The room is full.");
    is_in_ = true;
    all.tell_all_that("joined", name());
  }

  bool is_in_ = false;
  std::uint64_t shown_ = 0;  // the last line of the history that he was shown
  std::size_t name_size_ = 0;
  char name_[name_bytes_max];
};

nen::reply page(nen::response& res) {
  // Nothing from elsewhere, whatever somebody may have typed.
  res.field("Content-Security-Policy",
            "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; "
            "script-src 'unsafe-inline'; style-src 'unsafe-inline'");
  return res.send_static("text/html; charset=utf-8", chat::page);
}

using routes = nen::router<nen::get<"/", page>, nen::websocket<"/chat", chatter>>;
constexpr nen::config sizes{
    .ws_message_slots = 256,  // lines are short: there is room for many that come in pieces
    .ws_message_bytes_max = line_bytes_max,
    .ws_views = 16 * 1024,  // sixteen lines that wait for each member of a full room
};
using server = nen::server<routes, sizes, lobby>;
static_assert(sizeof(server) <= 16 * nen::MiB, "memory budget");

}  // namespace

int main(int argc, char** argv) {
  std::string_view host = "127.0.0.1";
  nen::listen_options options{.on_listening = [](std::string_view address) {
    std::fprintf(stderr, "listening on %.*s\n", static_cast<int>(address.size()), address.data());
  }};
  example::read_arguments(argc, argv,
                          {{"--host", "0.0.0.0: the whole network may come (127.0.0.1)", host},
                           {"--port", "0: the kernel chooses (8080)", options.port}});
  options.host = host;
  static ::server server;
  return server.run(options).exit_code();
}
