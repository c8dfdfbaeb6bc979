// A session of raw TCP with all of its functions, which does what the first letter of a line says.
#pragma once

#include <nen/nen.hpp>

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string_view>

namespace nen::test::no_heap {

/// "echo…", "close…", "finish…", "abort…", "throw…", "pause…" (until a timeout); a line that is too
/// long stalls.
struct talker {
  tcp::gather<256> input;
  bool echoes = false;

  void on_open(tcp::peer& me) { me.send("hello\n"); }

  std::size_t on_data(tcp::peer& me, std::span<const std::byte> bytes) {
    if (echoes) return me.send(bytes);
    return input.feed(bytes, [&](std::span<const std::byte> all) -> std::size_t {
      const std::string_view text(reinterpret_cast<const char*>(all.data()), all.size());
      const auto end = text.find('\n');
      if (end == text.npos || me.room() == 0) return 0;
      obey(me, text.substr(0, end));
      return end + 1;
    });
  }
  void on_writable(tcp::peer& me) {
    if (!echoes) (void)on_data(me, {});
  }
  void on_timeout(tcp::peer& me) {
    me.resume();
    me.send("on again\n");
  }
  void on_end(tcp::peer& me) {
    me.send("bye\n");
    me.close();
  }
  void on_drain(tcp::peer& me) {
    me.send("the server stops\n");
    me.close();
  }
  void on_close(tcp::peer&, tcp::close_reason) {}

 private:
  void obey(tcp::peer& me, std::string_view line) {
    me.send(line);
    me.send("\n");
    if (line.starts_with("echo")) echoes = true;
    if (line.starts_with("close")) me.close();
    if (line.starts_with("finish")) me.finish();
    if (line.starts_with("abort")) me.abort();
    if (line.starts_with("throw")) throw 1;
    if (line.starts_with("pause")) {
      me.pause();
      me.set_timeout(20);
    }
  }
};

}  // namespace nen::test::no_heap
