// A server that strangers reach: its answers tell browsers to be strict, pages of one other site
// may use its API, some of it is for who has a password or a token, and a load balancer is told
// when to go elsewhere. Behind a proxy that ends TLS, give security_headers a hsts_max_age_seconds.
#include <nen/http/authentication.hpp>
#include <nen/http/cors.hpp>
#include <nen/http/limits.hpp>
#include <nen/http/security_headers.hpp>
#include <nen/nen.hpp>
#include <nen/server/health.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <string_view>

#include "../common/arguments.hpp"

namespace {

struct note {
  std::array<char, 200> text;
  std::uint8_t size;
};

/// All zero at the start.
struct notes {
  std::array<note, 10> all;

  std::string_view at(std::uint32_t id) const { return {all[id].text.data(), all[id].size}; }
};

nen::reply list(const notes& from, nen::response& res) {
  std::uint32_t used = 0;
  for (const note& one : from.all) used += one.size == 0 ? 0U : 1U;
  char digits[nen::decimal_digits_max];
  const auto size = static_cast<std::size_t>(nen::write_decimal(digits, used) - digits);
  res.field("X-Total", {digits, size}).begin("text/plain; charset=utf-8");
  for (std::uint32_t id = 0; id < from.all.size(); ++id) res.write(from.at(id)).write("\n");
  return res.finish();
}

nen::reply store(std::uint32_t id, const nen::request& req, notes& into, nen::response& res) {
  if (id >= into.all.size()) return res.status(nen::status::not_found);
  note& kept = into.all[id];
  kept.size = static_cast<std::uint8_t>(req.body().copy(kept.text.data(), kept.text.size()));
  return res.status(nen::status::no_content);
}

nen::reply whoami(const nen::basic_credentials& who, nen::response& res) {
  return res.text(who.user());
}

nen::reply erase(notes& all, nen::response& res) {
  all = {};
  return res.status(nen::status::no_content);
}

// The script does not run: the policy of every answer is that there are none in pages.
constexpr std::string_view page =
    "<!DOCTYPE html><html lang=\"en\"><title>Notes</title><h1>Notes</h1>"
    "<script>document.title = 'a script ran'</script></html>";

nen::reply index(nen::response& res) { return res.send_static("text/html; charset=utf-8", page); }

/// A page with a policy of its own: it may ask other servers.
nen::reply client(nen::response& res) {
  res.field("Content-Security-Policy", "default-src 'self'; connect-src *");
  return res.send_static("text/html; charset=utf-8", page);
}

// ---- Who may what. Real servers keep hashes of passwords, made to be slow, and no passwords. ----

bool is_staff(std::string_view user, std::string_view password) {
  const bool is_user = nen::equal_in_constant_time(user, "anna");
  return nen::equal_in_constant_time(password, "open sesame") && is_user;
}
bool is_key(std::string_view token) { return nen::equal_in_constant_time(token, "let-me-in"); }

using routes = nen::router<
    nen::security_headers<>,  //
    nen::livez<"/livez">, nen::readyz<"/readyz">, nen::get<"/", index>, nen::get<"/client", client>,
    nen::group<"/api",
               nen::cors<nen::cors_options{.origins = "http://app.example https://app.example",
                                           .headers = "Content-Type, Authorization, X-Note",
                                           .exposed = "X-Total",
                                           .credentials = true}>,
               nen::body_limit<200>,  //
               nen::get<"/notes", list>, nen::put<"/notes/:id", store>,
               nen::group<"/staff", nen::basic_auth<"the staff", is_staff>, nen::get<"", whoami>>,
               nen::group<"/keys", nen::bearer_auth<"keys", is_key>, nen::del<"/notes", erase>>>>;

}  // namespace

int main(int argc, char** argv) {
  nen::listen_options options{.host = "127.0.0.1"};
  options.on_listening = [](std::string_view address) {
    std::fprintf(stderr, "listening on %.*s\n", static_cast<int>(address.size()), address.data());
  };
  std::uint16_t delay_ms = 0;
  example::read_arguments(
      argc, argv,
      {{"--port", "0: the kernel chooses (8080)", options.port},
       {"--delay", "milliseconds to serve on when it is told to stop (0)", delay_ms}});
  options.drain_delay = std::chrono::milliseconds(delay_ms);
  static nen::server<routes, nen::config{.body_bytes_max = 1 * nen::KiB}, notes> server;
  return server.run(options).exit_code();
}
