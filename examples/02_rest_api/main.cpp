// A small REST API: named sensors and their readings, kept in memory of a fixed size.
//
//   curl --oauth2-bearer let-me-in localhost:8080/api/sensors -d kitchen
//   curl --oauth2-bearer let-me-in localhost:8080/api/sensors/1 -X PUT -d 21.5
#include <nen/nen.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "../common/arguments.hpp"

namespace {

// ---- The state: one object that the server owns, and that handlers ask for by its type. ----

struct sensor {
  std::uint32_t id = 0;  // 0: the place is free
  std::uint8_t name_size = 0;
  char name[32] = {};
  double celsius = 0;

  std::string_view name_view() const { return {name, name_size}; }
};

/// One shard, the default, means one thread: nothing needs a lock.
struct sensors {
  std::array<sensor, 64> places;
  std::uint32_t last_id = 0;

  sensor* find(std::uint32_t id) {
    const auto at = std::find_if(places.begin(), places.end(), [=](auto& s) { return s.id == id; });
    return id != 0 && at != places.end() ? &*at : nullptr;
  }
  bool has(std::string_view name) const {
    return std::any_of(places.begin(), places.end(),
                       [=](auto& s) { return s.id != 0 && s.name_view() == name; });
  }
  sensor* add(std::string_view name) {
    for (sensor& s : places) {
      if (s.id != 0) continue;
      s = {.id = ++last_id, .name_size = static_cast<std::uint8_t>(name.size())};
      std::memcpy(s.name, name.data(), name.size());
      return &s;
    }
    return nullptr;
  }
};

// ---- An extractor: handlers can take whatever nen::extractor is specialised for. ----

/// "?skip=10&limit=5", either may be left out; anything else is 400 without the handler.
struct page {
  std::uint32_t skip = 0;
  std::uint32_t limit = 20;
};

}  // namespace

template <>
struct nen::extractor<page> {
  static std::optional<page> from(const nen::request& req) {
    const nen::query_pairs query = nen::query_of(req);
    const auto skip = query.get_or<std::uint32_t>("skip", 0);
    const auto limit = query.get_or<std::uint32_t>("limit", 20);
    if (!query.is_valid() || !skip || !limit) return std::nullopt;
    for (const nen::query_pair& pair : query)
      if (!pair.is_named("skip") && !pair.is_named("limit")) return std::nullopt;
    return page{*skip, *limit};
  }
};

namespace {

// ---- Answers. Every path of a handler must return one: forgetting it does not compile. ----

nen::reply problem(nen::response& res, nen::status code, std::string_view sentence) {
  return res.set_status(code).json({{"error", sentence}});
}

nen::reply show(nen::response& res, const sensor& s) {
  return res.json({{"id", s.id}, {"name", s.name_view()}, {"celsius", s.celsius}});
}

// ---- Handlers ask for what they need, in any order. ----

nen::reply list(page wanted, const sensors& all, nen::response& res) {
  // An answer of a length that nobody knows yet is written piece by piece.
  res.begin("application/json").write("[");
  std::string_view comma = "";
  for (const sensor& s : all.places) {
    if (s.id == 0 || (wanted.skip != 0 && wanted.skip-- != 0)) continue;
    if (wanted.limit-- == 0) break;
    res.write(std::exchange(comma, ","));
    nen::json_value({{"id", s.id}, {"name", s.name_view()}, {"celsius", s.celsius}}).write_to(res);
  }
  return res.write("]").finish();
}

nen::reply get_one(std::uint32_t id, sensors& all, nen::response& res) {
  if (const sensor* const found = all.find(id)) return show(res, *found);
  return problem(res, nen::status::not_found, "no sensor has this id");
}

nen::reply create(const nen::request& req, sensors& all, nen::response& res) {
  const std::string_view name = req.body();
  if (name.empty() || name.size() > sizeof sensor::name ||
      !std::all_of(name.begin(), name.end(), nen::is_token_char))
    return problem(res, nen::status::bad_request,
                   "the body is the name: up to 32 letters or digits");
  if (all.has(name)) return problem(res, nen::status::conflict, "a sensor of this name exists");
  const sensor* const made = all.add(name);
  if (made == nullptr)
    return problem(res, nen::status::service_unavailable, "there is no room for more sensors");

  char location[32];
  std::snprintf(location, sizeof location, "/api/sensors/%u", made->id);
  res.set_status(nen::status::created).field("Location", location);
  return show(res, *made);
}

nen::reply update(std::uint32_t id, const nen::request& req, sensors& all, nen::response& res) {
  sensor* const found = all.find(id);
  if (found == nullptr) return problem(res, nen::status::not_found, "no sensor has this id");
  const std::string_view text = req.body();
  double celsius = 0;
  const auto [end, trouble] = std::from_chars(text.data(), text.data() + text.size(), celsius);
  if (trouble != std::errc() || end != text.data() + text.size() || !std::isfinite(celsius))
    return problem(res, nen::status::bad_request, "the body is the temperature: a number");
  found->celsius = celsius;
  return show(res, *found);
}

nen::reply remove(std::uint32_t id, sensors& all, nen::response& res) {
  sensor* const found = all.find(id);
  if (found == nullptr) return problem(res, nen::status::not_found, "no sensor has this id");
  *found = {};
  return res.status(nen::status::no_content);
}

nen::reply index(nen::response& res) { return res.text("The API is at /api/sensors.\n"); }

// ---- Middleware: calls next() to go on, or answers itself. ----

nen::reply with_token(const nen::request& req, nen::response& res, nen::next next) {
  if (req.field("Authorization") == "Bearer let-me-in") return next();
  res.field("WWW-Authenticate", "Bearer realm=\"sensors\"");
  return problem(res, nen::status::unauthorized, "this needs a token");
}

// ---- Errors that no handler answers. 405 comes with Allow, which the router knows. ----

nen::reply nothing_here(const nen::request& req, nen::response& res) {
  res.set_status(nen::status::not_found);
  return res.json({{"error", "nothing is here"}, {"path", req.path()}});
}

nen::reply failed(nen::status code, nen::response& res) {
  return problem(res, code, nen::reason_phrase(code));
}

using routes = nen::router<nen::get<"/", index>,
                           nen::group<"/api/sensors", nen::use<with_token>,  //
                                      nen::get<"", list>,                    //
                                      nen::post<"", create>,                 //
                                      nen::get<"/:id", get_one>,             //
                                      nen::put<"/:id", update>,              //
                                      nen::del<"/:id", remove>>,
                           nen::not_found<nothing_here>, nen::on_error<failed>>;

// Names and numbers are short, and so are their bodies: a longer one is refused with 413.
using server = nen::server<routes, nen::config{.body_bytes_max = 1 * nen::KiB}, sensors>;
static_assert(sizeof(server) <= 8 * nen::MiB, "memory budget");

}  // namespace

int main(int argc, char** argv) {
  nen::listen_options options{.host = "127.0.0.1"};
  options.on_listening = [](std::string_view address) {
    std::fprintf(stderr, "listening on %.*s\n", static_cast<int>(address.size()), address.data());
  };
  example::read_arguments(argc, argv,
                          {{"--port", "0: the kernel chooses (8080)", options.port},
                           {"--unix", "a Unix socket's path, for a port", options.unix_path}});
  static ::server server;
  return server.run(options).exit_code();
}
