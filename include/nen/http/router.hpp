// The router: finds the route of a request in a table made at compile time and calls its handler.
// http, L1
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <nen/core/type_list.hpp>
#include <nen/http/binding.hpp>
#include <nen/http/handler.hpp>
#include <nen/http/method.hpp>
#include <nen/http/path_segments.hpp>
#include <nen/http/pattern.hpp>
#include <nen/http/route_table.hpp>
#include <nen/http/route_table_builder.hpp>
#include <nen/http/routes.hpp>
#include <span>
#include <string_view>

namespace nen {

/// One route for lists of them; its index is the route's for good.
struct route_info {
  std::string_view pattern;
  method_set methods;
};

namespace detail {

/// Compilers limit the length of fold expressions to far fewer routes than a router may have.
template <std::size_t Count>
constexpr std::size_t sum(const std::array<std::size_t, Count>& numbers) noexcept {
  std::size_t total = 0;
  for (const std::size_t number : numbers) total += number;
  return total;
}

template <std::size_t Count>
constexpr bool any(const std::array<bool, Count>& facts) noexcept {
  for (const bool fact : facts)
    if (fact) return true;
  return false;
}

/// The session that a route's connections go on with, where it leaves HTTP.
template <class Route>
struct session_of {
  using type = type_list<>;
};
template <class Route>
requires requires { typename Route::session; }
struct session_of<Route> {
  using type = type_list<typename Route::session>;
};

template <class Routes>
struct sessions_of;
template <class... Route>
struct sessions_of<type_list<Route...>> : concat<typename session_of<Route>::type...> {};

template <class Routes>
struct route_set;

/// Everything that is worked out from the routes alone.
template <class... Route>
struct route_set<type_list<Route...>> {
  static constexpr std::size_t count = sizeof...(Route);
  static constexpr std::array<route_info, count> infos{route_info{Route::text, Route::methods}...};

  static constexpr std::size_t segments_total =
      sum(std::array<std::size_t, count>{Route::pattern_type::segment_count...});
  static constexpr std::size_t text_total =
      sum(std::array<std::size_t, count>{Route::text.size()...});
  static constexpr route_draft<segments_total, text_total, count> draft{
      std::array<route_spec, count>{route_spec{Route::pattern_type::segments.data(),
                                               Route::pattern_type::segment_count,
                                               Route::methods}...}};
  static constexpr auto table =
      draft.template fit<draft.node_count, draft.edge_count, draft.text_bytes>();

  static constexpr std::array<bool, count + 1> coroutines{Route::is_coroutine..., false};
  static constexpr std::array<bool, count + 1> take_head{Route::takes_head..., false};

  template <class T>
  static constexpr bool takes = any(std::array<bool, count + 1>{Route::template takes<T>...,
                                                                false});

  static constexpr bool decorates = any(std::array<bool, count>{Route::rules::decorates...});
  static constexpr bool has_preflight =
      any(std::array<bool, count>{Route::rules::has_preflight...});
  static constexpr bool limits_bodies =
      any(std::array<bool, count>{(Route::rules::body_bytes_max != any_body)...});
  /// The last one is for answers that belong to no route.
  template <class Rules>
  static constexpr std::array<route_rules, count + 1> rules{
      rules_table_entry<typename Route::rules>..., rules_table_entry<Rules>};

  template <class Call>
  static constexpr std::array<reply (*)(call&), count + 1> code{&Route::template code<Call>::run...,
                                                                nullptr};
};

/// The two routes stand in the compiler's message.
template <route_conflict Conflict, class First, class Second>
struct check_conflict {
  using done = void;
  static_assert(Conflict != route_conflict::repeated,
                "two routes have the same method and the same pattern (parameter names do not tell "
                "patterns apart): remove one of them or change its pattern");
  static_assert(Conflict != route_conflict::hidden,
                "nen::any is never reached, because the other routes of its pattern name every "
                "method: remove it");
};

template <class Set, class Routes>
struct check_routes;
template <class Set, class... Route>
struct check_routes<Set, type_list<Route...>> {
  using done = void;
  using checked = look_into<typename Route::checks...>;
};
template <class Set, class... Route>
requires(Set::draft.conflict !=
         route_conflict::none) struct check_routes<Set, type_list<Route...>> {
  using done = void;
  using checked =
      look_into<check_conflict<Set::draft.conflict,
                               typename type_at<Set::draft.conflict_first, Route...>::type,
                               typename type_at<Set::draft.conflict_second, Route...>::type>>;
};

/// A pattern without parameters, for handlers that belong to no pattern.
struct no_pattern {
  static constexpr std::size_t capture_count = 0;
  static constexpr std::array<capture_place, 0> captures{};
};

/// The handler of nen::not_found or nen::on_error, of which a router has at most one each.
template <class Handlers, callable_role Role>
struct check_single {
  using done = void;
  static_assert(sizeof(Handlers) == 0,
                "a router has at most one nen::not_found and one nen::on_error: remove the others");
};
template <callable_role Role>
struct check_single<type_list<>, Role> {
  using done = void;
};
template <auto Handler, callable_role Role>
struct check_single<type_list<constant<Handler>>, Role> {
  using done = void;
  using type = typename constant<Handler>::type;
  using checked = look_into<check_callable<type, Role>>;

  static constexpr bool takes_nothing() {
    if constexpr (has_signature<type>) return parameters<type>::capture_count == 0;
    return true;
  }
  static_assert(takes_nothing(),
                "the handlers in nen::not_found and nen::on_error take no value from the path, "
                "which matched no pattern: read request.path() instead");
};

template <auto Handler, class Call>
reply answer_with(type_list<constant<Handler>>, Call& c) {
  return invoke<no_pattern>(Handler, c, next_access::make(nullptr, c));
}

/// For an error handler that could not be called itself: the error it was to answer is said anyway.
inline reply answer_plainly(call& c, status) { return c.res.status(c.error); }

/// "GET, HEAD, OPTIONS": the value of Allow, RFC 9110 §10.2.1.
struct allow_text {
  // All names are 46 bytes and the separators between them 16.
  char bytes[64];
  std::size_t size = 0;

  explicit allow_text(method_set methods) noexcept {
    for (std::uint8_t i = 0; i < method_count; ++i) {
      if (!methods.contains(static_cast<method>(i))) continue;
      if (size != 0) append(", ");
      append(to_string(static_cast<method>(i)));
    }
  }
  [[nodiscard]] std::string_view view() const noexcept { return {bytes, size}; }

 private:
  void append(std::string_view text) noexcept {
    NEN_ASSERT(size + text.size() <= sizeof bytes);
    std::memcpy(bytes + size, text.data(), text.size());
    size += text.size();
  }
};

}  // namespace detail

/// All routes of a server, as a type. Nothing of it exists at run time but constant tables.
/// @tparam Items  nen::get<…> and its like, nen::group<…>, nen::use<…>, nen::not_found<…>,
///                nen::on_error<…>, in any order
template <class... Items>
class router {
  using list = typename detail::flatten<"", detail::type_list<>, Items...>::type;
  using set = detail::route_set<list>;
  using not_found_handlers =
      typename detail::concat<typename detail::item<Items>::not_found_handlers...>::type;
  using error_handlers =
      typename detail::concat<typename detail::item<Items>::error_handlers...>::type;

  using outer_rules = detail::rules_of<typename detail::to_middleware<
      typename detail::concat<typename detail::item<Items>::middleware...>::type>::type>;

  using checked =
      detail::look_into<detail::check_routes<set, list>,
                        detail::check_single<not_found_handlers, detail::callable_role::handler>,
                        detail::check_single<error_handlers, detail::callable_role::error_handler>>;

 public:
  static constexpr std::size_t route_count = set::count;
  /// Every route with its full pattern; a route's index here is the one in route_match.
  static constexpr const std::array<route_info, route_count>& routes = set::infos;
  /// Bytes of the constant tables that look-ups read.
  static constexpr std::size_t table_bytes = sizeof(set::table);

  /// The sessions of nen::websocket routes, and whether there are any.
  using sessions = typename detail::sessions_of<list>::type;
  static constexpr bool has_websocket = !std::is_same_v<sessions, detail::type_list<>>;

  /// True when there is a nen::streamed route.
  static constexpr bool has_streamed = detail::any(set::take_head);

  /// True when there is a handler that is a coroutine.
  static constexpr bool has_coroutine = detail::any(set::coroutines);

  /// True when a handler or a middleware takes a T.
  template <class T>
  static constexpr bool takes = set::template takes<T>;

  /// True when this request's route wants to be called before the body has come.
  [[nodiscard]] static bool takes_head(const request& req) noexcept {
    path_segments segments;
    const route_match match = lookup(req.method(), req.path(), segments);
    return match.outcome == route_outcome::found && set::take_head[match.route];
  }

  /// True when answers have to be decorated before their heads are complete: see decorate.
  static constexpr bool decorates = set::decorates || outer_rules::decorates;
  /// Adds the fields that the answer to this request has whoever writes it.
  static void decorate(const request& req, response& res) { rules_for(req).decorate(req, res); }

  /// True when there are bodies that are limited by their route.
  static constexpr bool limits_bodies =
      set::limits_bodies || outer_rules::body_bytes_max != detail::any_body;
  /// How long the body of this request may be.
  [[nodiscard]] static std::uint64_t body_bytes_max(const request& req) noexcept {
    return rules_for(req).body_bytes_max;
  }

  /// Finds the route for a method and a raw path, without the query.
  /// @param segments  where the path's segments are put, for dispatch
  [[nodiscard]] static constexpr route_match lookup(method m, std::string_view path,
                                                    path_segments& segments) noexcept {
    return finder.find(m, path, segments);
  }

  /// Answers the request: by its route's handler, or by the error that there is none.
  /// @param scratch  where values from the path are decoded; request.path().size() bytes are enough
  ///                 (with less, a path that needs more is answered 414). It and the request live
  ///                 until the reply is done.
  template <class... State>
  static reply dispatch(const request& req, response& res, state_refs<State...> states,
                        std::span<char> scratch) {
    path_segments segments;
    const route_match match = lookup(req.method(), req.path(), segments);
    return dispatch(match, segments, req, res, states, scratch);
  }

  /// The same for a look-up that was made before, so that a server can count by route.
  template <class... State>
  static reply dispatch(const route_match& match, const path_segments& segments, const request& req,
                        response& res, state_refs<State...> states, std::span<char> scratch) {
    using call = detail::call_with<State...>;
    // Known now, so that it is not looked up again when the head is complete.
    if constexpr (decorates) detail::response_access::decorate(res, rules_for(match).decorate, req);
    if constexpr (set::has_preflight) {
      if (req.method() == method::options && answer_preflight(match, req, res)) [[unlikely]]
        return res.status(status::no_content);
    }
    call c{{req, res, &segments, scratch, &fail<call>}, states};
    switch (match.outcome) {
      case route_outcome::found:
        return set::template code<call>[match.route](c);
      case route_outcome::not_found:
        break;
      case route_outcome::method_not_allowed:
        res.field("Allow", detail::allow_text(match.allowed).view());
        return fail<call>(c, status::method_not_allowed);
      case route_outcome::options:
        res.set_status(status::no_content);
        res.field("Allow", detail::allow_text(match.allowed).view());
        return res.status(status::no_content);
    }
    return fail<call>(c, status::not_found);
  }

  /// Answers with an error the way on_error and not_found say.
  /// @pre  nothing of a body was written (response::start_over() takes back what was)
  template <class... State>
  static reply answer_error(status code, const request& req, response& res,
                            state_refs<State...> states) {
    using call = detail::call_with<State...>;
    if constexpr (decorates) detail::response_access::decorate(res, &decorate, req);
    call c{{req, res, nullptr, {}, &fail<call>}, states};
    return fail<call>(c, code);
  }

 private:
  static constexpr detail::route_finder finder = set::table.finder();

  static const detail::route_rules& rules_for(const route_match& match) noexcept {
    const bool is_found = match.outcome == route_outcome::found;
    return set::template rules<outer_rules>[is_found ? match.route : route_count];
  }
  [[gnu::noinline]] static const detail::route_rules& rules_for(const request& req) noexcept {
    // Where the target is empty, nobody knows what was asked for.
    if (req.target().empty()) return set::template rules<outer_rules>[route_count];
    path_segments segments;
    return rules_for(lookup(req.method(), req.path(), segments));
  }

  /// A browser asks whether a page from elsewhere may send a request: no handler is asked that.
  /// @returns  false when it is something else, or no rule of the route's says who may
  [[gnu::cold]] static bool answer_preflight(const route_match& match, const request& req,
                                             response& res) {
    if (!req.field("Origin")) return false;
    const auto name = req.field("Access-Control-Request-Method");
    const auto asked = name ? parse_method(*name) : std::nullopt;
    if (!asked) return false;
    path_segments segments;
    const route_match about = lookup(*asked, req.path(), segments);
    if (about.outcome != route_outcome::found) return false;
    method_set allowed = match.allowed;
    allowed.insert(*asked);
    return set::template rules<outer_rules>[about.route].preflight(req, res, *asked, allowed);
  }

  template <class Call>
  static reply fail(detail::call& c, status code) {
    if constexpr (!std::is_same_v<not_found_handlers, detail::type_list<>>) {
      if (code == status::not_found) {
        c.fail = &fail_otherwise<Call>;
        return detail::answer_with(not_found_handlers{}, static_cast<Call&>(c));
      }
    }
    return fail_otherwise<Call>(c, code);
  }

  template <class Call>
  static reply fail_otherwise(detail::call& c, status code) {
    c.error = code;
    if constexpr (!std::is_same_v<error_handlers, detail::type_list<>>) {
      c.fail = &detail::answer_plainly;
      return detail::answer_with(error_handlers{}, static_cast<Call&>(c));
    } else {
      return c.res.status(code);
    }
  }
};

}  // namespace nen
