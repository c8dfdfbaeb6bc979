// Routing: the table made at compile time against a matcher that tries one pattern after the other,
// and percent-decoding against an encoder. The input is a path with three bytes of choices behind
// it.
#include <nen/http/router.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/fuzz.hpp"
#include "support/memory_output.hpp"

using namespace nen;
using namespace nen::test::fuzz;

namespace {

std::vector<std::string> taken;  // what the handler was given

reply take(response& res) { return res.text(""); }
reply take_one(response& res, std::string_view a) {
  taken = {std::string(a)};
  return res.text("");
}
reply take_two(response& res, std::string_view a, std::string_view b) {
  taken = {std::string(a), std::string(b)};
  return res.text("");
}
reply take_byte(response& res, std::uint8_t number) {
  taken = {std::to_string(number)};
  return res.text("");
}
reply take_long(response& res, std::int64_t number) {
  taken = {std::to_string(number)};
  return res.text("");
}

// Texts of every length that is compared in another way, and pairs that differ in one byte.
using routes =
    router<get<"/", take>, post<"/a", take>, get<"/a", take>, any<"/a", take>, get<"/a/", take>,
           get<"/a/b", take>, get<"/:x", take_one>, put<"/:x/b", take_one>, del<"/a/:y", take_one>,
           get<"/:x/:y/c", take_two>, get<"/a/*rest", take_one>, head<"/:x/*rest", take_two>,
           get<"/n/:byte", take_byte>, get<"/i/:long", take_long>, post<"/i/7", take>,
           get<"/abcdef", take>, get<"/abcdeg", take>, get<"/abcdefgh", take>,
           get<"/bbcdefgh", take>, get<"/abcdefghi", take>, get<"/abcdefghijklmnop", take>,
           get<"/abcdefghijklmnoq", take>, get<"/abcdefghijklmnopq", take>,
           get<"/abcdefghijklmnopqrstuvwxyz", take>, get<"/%41/ab", take>, get<"//", take>,
           get<"/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d", take>,
           options<"/o", take>, any<"/any/*all", take_one>>;

struct match {
  route_outcome outcome = route_outcome::not_found;
  std::size_t route = 0;
  method_set allowed;
  std::vector<std::string_view> captures;
};

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 1;;) {
    const std::size_t end = path.find('/', begin);
    parts.push_back(path.substr(begin, end == path.npos ? path.npos : end - begin));
    if (end == path.npos) return parts;
    begin = end + 1;
  }
}

/// What the pattern captures, when it matches; `kinds` says how specific it is, least first.
std::optional<std::vector<std::string_view>> captures_of(std::string_view pattern,
                                                         std::string_view path,
                                                         std::string& kinds) {
  const auto wanted = split(pattern);
  const auto parts = split(path);
  std::vector<std::string_view> values;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (i >= parts.size()) return std::nullopt;
    if (wanted[i].starts_with('*')) {
      values.push_back(path.substr(static_cast<std::size_t>(parts[i].data() - path.data())));
      kinds += '2';
      return values;
    }
    const bool parameter = wanted[i].starts_with(':');
    if (parameter ? parts[i].empty() : parts[i] != wanted[i]) return std::nullopt;
    if (parameter) values.push_back(parts[i]);
    kinds += parameter ? '1' : '0';
  }
  return wanted.size() == parts.size() ? std::optional(values) : std::nullopt;
}

/// How well a route suits a method; '9' is not at all.
char rank(method_set methods, method wanted) {
  if (!methods.contains(wanted) && wanted == method::head && methods.contains(method::get)) {
    return '1';
  }
  if (!methods.contains(wanted)) return '9';
  if (methods != nen::detail::any_method) return '0';
  return '2';
}

match expected(method wanted, std::string_view path) {
  match best;
  std::string best_key;
  for (std::size_t i = 0; i < routes::route_count; ++i) {
    const route_info& route = routes::routes[i];
    std::string key;
    std::optional<std::vector<std::string_view>> values;
    if (path.starts_with('/')) values = captures_of(route.pattern, path, key);
    if (!values && !(path == "*" && wanted == method::options)) continue;
    best.allowed.merge(route.methods);
    if (route.methods.contains(method::get)) best.allowed.insert(method::head);
    if (!values) continue;
    key += rank(route.methods, wanted);
    if (key.back() == '9' || (!best_key.empty() && best_key <= key)) continue;
    best_key = key;
    best.route = i;
    best.captures = *values;
  }
  if (!best_key.empty()) {
    best.outcome = route_outcome::found;
  } else if (!best.allowed.empty()) {
    best.outcome =
        wanted == method::options ? route_outcome::options : route_outcome::method_not_allowed;
    best.allowed.insert(method::options);
  }
  return best;
}

/// RFC 3986 §2.1, and no NUL.
std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const std::string digits(text.substr(i + 1, 2));
      if (digits.size() != 2 || digits.find_first_not_of("0123456789abcdefABCDEF") != digits.npos) {
        return std::nullopt;
      }
      c = static_cast<char>(std::stoi(digits, nullptr, 16));
      if (c == '\0') return std::nullopt;
      i += 2;
    }
    out += c;
  }
  return out;
}

guarded_bytes path_area(input_bytes_max);
guarded_bytes scratch_area(input_bytes_max);

/// @returns the answer's status; what the handler was given is in `taken`
int dispatch(method m, std::string_view path, std::size_t scratch) {
  request_head head{};
  head.method = m;
  head.target_size = head.path_size = static_cast<std::uint16_t>(path.size());
  head.version_minor = 1;
  const request req(head, path.data(), nullptr, {});
  nen::test::memory_output out(1024, 1024);
  const response_defaults defaults{};
  response res(out, defaults, {});
  taken.clear();
  static_cast<void>(
      routes::dispatch(req, res, state_refs<>{}, {scratch_area.room(scratch), scratch}));
  return static_cast<int>(res.code());
}

/// What the handler of a route is to be given, and the status if it cannot be called.
int status_of(const match& m, std::vector<std::string>& values) {
  const std::string_view pattern = routes::routes[m.route].pattern;
  for (const std::string_view raw : m.captures) {
    if (pattern == "/n/:byte" || pattern == "/i/:long") {
      const auto number = parse_decimal<std::int64_t>(raw);
      const bool fits = number && (pattern == "/i/:long" || (*number >= 0 && *number <= 255));
      // An unsigned number has no sign, not even with a zero.
      if (!fits || (pattern == "/n/:byte" && raw.starts_with('-'))) return 404;
      values.push_back(std::to_string(*number));
      continue;
    }
    const auto text = decoded(raw);
    if (!text) return 400;
    values.push_back(*text);
  }
  return 200;
}

void check_route(method m, std::string_view path, std::size_t small_scratch) {
  const match wanted = expected(m, path);
  path_segments segments;
  const route_match seen = routes::lookup(m, path, segments);
  NEN_SAME(seen.outcome, wanted.outcome);
  if (seen.outcome == route_outcome::found) {
    NEN_SAME(std::size_t{seen.route}, wanted.route);
  } else {
    NEN_PROPERTY(seen.allowed == wanted.allowed);
  }
  if (path.empty()) return;

  std::vector<std::string> values;
  int status = 404;
  if (wanted.outcome == route_outcome::found) status = status_of(wanted, values);
  if (wanted.outcome == route_outcome::method_not_allowed) status = 405;
  if (wanted.outcome == route_outcome::options) status = 204;
  NEN_SAME(dispatch(m, path, path.size()), status);
  if (status == 200) {
    NEN_SAME(taken.size(), values.size());
    for (std::size_t i = 0; i < values.size(); ++i) NEN_SAME(taken[i], values[i]);
  }
  const int with_less = dispatch(m, path, small_scratch);
  NEN_PROPERTY(with_less == status || (with_less == 414 && small_scratch < path.size()));
}

void check_decoding(std::string_view text, std::size_t room_size, std::uint32_t seed) {
  const auto wanted = decoded(text);
  char* const room = scratch_area.room(room_size);
  const percent_result seen = percent_decode(text, {room, room_size});
  if (text.find('%') == text.npos || (wanted && wanted->size() <= room_size)) {
    NEN_SAME(seen.status, percent_status::ok);
    NEN_SAME(seen.text, *wanted);
  } else if (wanted) {
    NEN_SAME(seen.status, percent_status::no_room);
  } else {
    NEN_PROPERTY(seen.status != percent_status::ok);
  }
  // The room may be the text's own memory.
  char* const own = scratch_area.place(text);
  const percent_result in_place = percent_decode({own, text.size()}, {own, text.size()});
  NEN_SAME(in_place.status == percent_status::ok, wanted.has_value());
  if (wanted) NEN_SAME(in_place.text, *wanted);

  std::string encoded;
  dice random(seed);
  for (const char c : text.substr(0, input_bytes_max / 3)) {
    char escape[4];
    const auto byte = unsigned{static_cast<unsigned char>(c)};
    const char* const form = random.below(2) == 0 ? "%%%02x" : "%%%02X";
    static_cast<void>(std::snprintf(escape, sizeof escape, form, byte));
    const bool plain = c != '%' && random.below(2) == 0;
    encoded += plain ? std::string(1, c) : c == '\0' ? "%01" : std::string(escape);
  }
  std::string original(text.substr(0, input_bytes_max / 3));
  const percent_result back =
      percent_decode(encoded, {scratch_area.room(encoded.size()), encoded.size()});
  NEN_SAME(back.status, percent_status::ok);
  NEN_SAME(back.text.size(), original.size());
  for (std::size_t i = 0; i < original.size(); ++i) {
    NEN_PROPERTY(back.text[i] == original[i] || original[i] == '\0');
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > input_bytes_max) return 0;
  choices from(data, size);
  const auto m = static_cast<method>(from.below(method_count));
  const std::size_t room = from.byte();
  const std::uint32_t seed = from.byte();
  const std::string_view path = from.rest();
  check_route(m, {path_area.place(path), path.size()}, room);
  check_route(m, {path_area.place_in_front(path), path.size()}, room);
  check_decoding(path, room, seed);
  return 0;
}
