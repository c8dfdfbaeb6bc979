// Random paths through a table of patterns that overlap on purpose, against a matcher that tries
// one route after the other.
#include <algorithm>
#include <array>
#include <nen/http/router.hpp>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/routing.hpp"
#include "support/catch.hpp"

using nen::method;
using nen::method_set;

namespace {

constexpr std::size_t routes_wanted = 60;
constexpr std::size_t patterns_possible = 4 + 12 + 36 + 108;

struct pattern_text {
  char text[32]{};
  std::size_t size = 0;
  std::size_t captures = 0;

  constexpr void add(std::string_view part) {
    for (const char c : part) text[size++] = c;
  }
};

/// Pattern number 0 … 159: up to four segments, each "a", "b" or a parameter; the last one may also
/// be a rest.
constexpr pattern_text pattern_of(std::size_t number) {
  std::size_t segments = 1;
  for (std::size_t of_length = 4; number >= of_length; of_length *= 3) {
    number -= of_length;
    ++segments;
  }
  constexpr std::string_view kinds[] = {"/a", "/b", "/:p", "/*r"};
  pattern_text result;
  for (std::size_t i = 1; i <= segments; ++i) {
    const std::size_t choice = i == segments ? number : number % 3;
    number /= 3;
    result.add(kinds[choice]);
    if (choice < 2) continue;
    const char name[] = {static_cast<char>('0' + i)};
    result.add({name, 1});
    ++result.captures;
  }
  return result;
}

constexpr std::array<std::size_t, routes_wanted> chosen = [] {
  std::array<std::size_t, routes_wanted> numbers{};
  std::size_t count = 0;
  std::uint32_t state = 12345;
  for (std::size_t left = patterns_possible; left > 0; --left) {
    state = state * 1664525 + 1013904223;
    const bool take = state / 65536 % left < routes_wanted - count;
    if (take) numbers[count++] = patterns_possible - left;
  }
  return numbers;
}();

constexpr method_set methods_of(std::size_t route) {
  switch (route % 6) {
    case 0:
      return nen::methods(method::post);
    case 1:
      return nen::methods(method::get, method::put);
    case 2:
      return nen::detail::any_method;
    case 3:
      return nen::methods(method::head);
    default:
      return nen::methods(method::get);
  }
}

template <std::size_t Route>
consteval auto pattern_at() {
  constexpr pattern_text made = pattern_of(chosen[Route]);
  char text[made.size + 1]{};
  for (std::size_t i = 0; i < made.size; ++i) text[i] = made.text[i];
  return nen::fixed_string(text);
}

template <std::size_t>
using text = std::string_view;

/// Answers with the route's number and what it captured.
template <std::size_t Route, class Captures>
struct witness;
template <std::size_t Route, std::size_t... I>
struct witness<Route, std::index_sequence<I...>> {
  nen::reply operator()(nen::response& res, text<I>... captured) const {
    std::string said = std::to_string(Route);
    ((said += "|", said += captured), ...);
    return res.text(said);
  }
};

template <class Indices>
struct router_of;
template <std::size_t... I>
struct router_of<std::index_sequence<I...>> {
  using type = nen::router<
      nen::route<methods_of(I), pattern_at<I>(),
                 witness<I, std::make_index_sequence<pattern_of(chosen[I]).captures>>{}>...>;
};
using routes = router_of<std::make_index_sequence<routes_wanted>>::type;

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts;
  std::string part;
  for (const char c : path.substr(1)) {
    if (c == '/') {
      parts.push_back(part);
      part.clear();
    } else {
      part += c;
    }
  }
  parts.push_back(part);
  return parts;
}

/// The captured values as they were sent, when the pattern matches; `kinds` says how specific it
/// is.
std::optional<std::vector<std::string>> captures_of(std::string_view pattern,
                                                    const std::vector<std::string>& path,
                                                    std::string& kinds) {
  std::vector<std::string> values;
  const auto parts = split(pattern);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i >= path.size()) return std::nullopt;
    if (parts[i][0] == '*') {
      std::string rest = path[i];
      for (std::size_t j = i + 1; j < path.size(); ++j) rest += "/" + path[j];
      values.push_back(rest);
      kinds += '2';
      return values;
    }
    const bool parameter = parts[i][0] == ':';
    if (parameter ? path[i].empty() : path[i] != parts[i]) return std::nullopt;
    if (parameter) values.push_back(path[i]);
    kinds += parameter ? '1' : '0';
  }
  return parts.size() == path.size() ? std::optional(values) : std::nullopt;
}

/// How well a route suits a method; '9' is not at all.
char rank(method_set methods, method wanted) {
  const bool any = methods == nen::detail::any_method;
  if (!any && methods.contains(wanted)) return '0';
  if (!any && wanted == method::head && methods.contains(method::get)) return '1';
  return any && methods.contains(wanted) ? '2' : '9';
}

std::string expected(method wanted, const std::string& path) {
  const auto parts = split(path);
  std::string best;
  std::string answer;
  bool matched = false;
  for (std::size_t i = 0; i < routes::route_count; ++i) {
    std::string key;
    const auto values = captures_of(routes::routes[i].pattern, parts, key);
    if (!values) continue;
    matched = true;
    key += rank(routes::routes[i].methods, wanted);
    if (key.back() == '9' || (!best.empty() && best <= key)) continue;
    best = key;
    answer = "200 " + std::to_string(i);
    bool bad = false;
    for (const auto& value : *values) {
      std::string room(value.size(), '\0');
      const auto decoded = nen::percent_decode(value, room);
      bad = bad || decoded.status != nen::percent_status::ok;
      answer += "|" + std::string(decoded.text);
    }
    if (bad) answer = "400 Bad Request";
  }
  if (!best.empty()) return answer;
  if (!matched) return "404 Not Found";
  return wanted == method::options ? "204 " : "405 Method Not Allowed";
}

}  // namespace

TEST_CASE("2,000 random paths are answered as by a matcher that tries every route") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const std::string_view parts[] = {"a", "b", "a", "b", "", "ab", "%41", "%4", "x%2Fy"};
  const method asked[] = {method::get, method::get,     method::post,
                          method::put, method::options, method::trace};
  std::size_t found = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string path;
    for (std::size_t n = 1 + random() % 5; n > 0; --n) {
      path += "/" + std::string(parts[random() % std::size(parts)]);
    }
    const method m = asked[random() % std::size(asked)];
    CAPTURE(path, nen::to_string(m));
    const auto a = nen::test::ask<routes>(nen::test::owned_request(m, path));
    CHECK(std::to_string(a.status) + " " + a.body == expected(m, path));
    found += a.status == 200 ? 1 : 0;
  }
  CHECK(found > 200);  // neither side of the comparison may be nearly all of it
  CHECK(found < 1900);
}

TEST_CASE("HEAD finds the route that a matcher which tries every route finds") {
  std::mt19937 random(7);
  const std::string_view parts[] = {"a", "b", "c", ""};
  for (int round = 0; round < 500; ++round) {
    std::string path;
    for (std::size_t n = 1 + random() % 5; n > 0; --n) {
      path += "/" + std::string(parts[random() % std::size(parts)]);
    }
    CAPTURE(path);
    nen::path_segments segments;
    const auto match = routes::lookup(method::head, path, segments);
    const std::string answer = expected(method::head, path);
    if (match.outcome == nen::route_outcome::found) {
      CHECK(answer.substr(0, answer.find('|')) == "200 " + std::to_string(match.route));
    } else {
      CHECK(answer.substr(0, 3) ==
            (match.outcome == nen::route_outcome::not_found ? "404" : "405"));
    }
  }
}
