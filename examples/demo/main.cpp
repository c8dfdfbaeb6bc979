// The demo: says where it serves and what its memory is made of, and serves a page to try it with.
#include <nen/nen.hpp>
#include <nen/server/dashboard.hpp>

#include <cstdio>
#include <string_view>

#include "../common/arguments.hpp"
#include "page.hpp"

namespace {

nen::reply home(nen::response& res) {
  return res.send_static("text/html; charset=utf-8", demo::page);
}

nen::reply plaintext(nen::response& res) { return res.text("Hello, World!"); }

nen::reply json(nen::response& res) { return res.json({{"message", "Hello, World!"}}); }

// "/users/abc" and numbers that do not fit are 404 before this is called.
nen::reply user(std::uint32_t id, nen::response& res) {
  return res.json({{"id", id}, {"even", id % 2 == 0}});
}

using routes = nen::router<nen::get<"/", home>,                //
                           nen::get<"/plaintext", plaintext>,  //
                           nen::get<"/json", json>,            //
                           nen::get<"/users/:id", user>,       //
                           nen::dashboard<"/_nen">>;
// The dashboard is all that speaks WebSocket here: four people may look at it.
using server = nen::server<routes, nen::config{.websockets = 4,
                                               .ws_message_slots = 4,
                                               .ws_message_bytes_max = 128,
                                               .ws_broadcast_slots = 1}>;
static_assert(sizeof(server) <= 16 * nen::MiB, "the demo is to fit into 16 MiB");

/// 1234567 as "1,234,567", into text that lives in `digits`.
const char* with_commas(std::size_t value, char (&digits)[32]) {
  char* at = digits + sizeof digits - 1;
  *at = '\0';
  for (int count = 0; count == 0 || value != 0; ++count, value /= 10) {
    if (count != 0 && count % 3 == 0) *--at = ',';
    *--at = static_cast<char>('0' + value % 10);
  }
  return at;
}

void print_line(std::string_view name, std::size_t slots, std::size_t bytes) {
  char left[32];
  char right[32];
  std::printf("  %-20.*s %10s %14s bytes\n", static_cast<int>(name.size()), name.data(),
              slots == 0 ? "" : with_commas(slots, left), with_commas(bytes, right));
}

/// All of this is known when the program is compiled; printing it is all that is left to do.
void print_memory() {
  constexpr nen::memory_bill bill = server::memory();
  std::printf("  %-20s %10s %14s\n", "memory", "slots", "size");
  for (const nen::memory_item& item : bill.items)
    if (item.bytes != 0) print_line(item.name, item.count, item.bytes);
  print_line("total", 0, bill.total);
  print_line("per connection", 0, bill.items[0].bytes / bill.items[0].count);
}

void announce(std::string_view address) {
  const auto size = static_cast<int>(address.size());
  std::printf("\nNen Net serves http://%.*s\n", size, address.data());
  std::printf("It is watched at http://%.*s/_nen while it works.\n\n", size, address.data());
  print_memory();
  std::printf("\nCtrl-C stops it.\n");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  std::string_view host = "127.0.0.1";
  std::uint16_t port = 8080;
  example::read_arguments(argc, argv,
                          {{"--host", "numeric address to listen on (127.0.0.1)", host},
                           {"--port", "0: the kernel chooses (8080)", port}});
  static server demo;
  const auto outcome = demo.run({.host = host, .port = port, .on_listening = announce});
  if (outcome) {
    char digits[32];
    std::printf("\nstopped: %s requests answered\n",
                with_commas(demo.counters().requests.value(), digits));
  }
  return outcome.exit_code();
}
