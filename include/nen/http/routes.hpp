// What a router is written with: routes, groups, middleware and the handlers of errors. http, L1
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <nen/core/fixed_string.hpp>
#include <nen/http/binding.hpp>
#include <nen/http/method.hpp>
#include <nen/http/middleware_rules.hpp>
#include <nen/http/pattern.hpp>
#include <nen/http/route_table.hpp>
#include <string_view>
#include <type_traits>

namespace nen {

/// A set of methods for nen::route: nen::methods(nen::method::get, nen::method::put).
template <std::same_as<method>... Method>
[[nodiscard]] consteval method_set methods(Method... m) {
  method_set set;
  (set.insert(m), ...);
  return set;
}

/// One route: which methods (a nen::method or a method_set), which paths, and who answers.
/// @tparam Pattern  see nen::pattern; in a group it follows the group's prefix, and may be ""
/// @tparam Handler  a function, a lambda without captures or a structural object with one
/// operator();
///                  it returns nen::reply and takes, in any order: const request&, response&, any
///                  State& of the server, anything with an extractor, and one value for each
///                  parameter of the pattern: std::string_view (percent-decoded; it lives until the
///                  handler's reply is done) or an integer (a path whose number does not fit is
///                  404)
template <detail::method_mask Methods, fixed_string Pattern, auto Handler>
struct route {};

/// A route whose handler is called when the request's head is complete, before its body has come:
/// streamed<post<"/upload", handler>>. The handler takes the body with response::receive, or
/// answers without it; then the connection closes.
template <class Route>
struct streamed {};

/// GET, and HEAD where no route of the pattern names it: the response leaves out the body.
template <fixed_string Pattern, auto Handler>
using get = route<method::get, Pattern, Handler>;
template <fixed_string Pattern, auto Handler>
using head = route<method::head, Pattern, Handler>;
template <fixed_string Pattern, auto Handler>
using post = route<method::post, Pattern, Handler>;
template <fixed_string Pattern, auto Handler>
using put = route<method::put, Pattern, Handler>;
template <fixed_string Pattern, auto Handler>
using patch = route<method::patch, Pattern, Handler>;
template <fixed_string Pattern, auto Handler>
using del = route<method::delete_, Pattern, Handler>;
/// OPTIONS, instead of the 204 with Allow that a router answers by itself.
template <fixed_string Pattern, auto Handler>
using options = route<method::options, Pattern, Handler>;
/// Every method that no other route of the same pattern names. (Not CONNECT: it has no path.)
template <fixed_string Pattern, auto Handler>
using any = route<detail::any_method, Pattern, Handler>;

/// Middleware for every route of the router or group that it stands in, wherever it stands there;
/// the first one is outermost. It is bound like a handler, takes a nen::next besides and either
/// returns what next() returns or answers itself. It may take the leading values of the pattern.
/// Answers that belong to no route (404, 405, OPTIONS) do not pass through it, nor do those that
/// come later. What has a function decorate(const request&, response&) const instead of a call
/// operator adds its fields to every one of them, those of errors included: to all answers of the
/// routes it stands around, and, where it stands in the router itself and in no group, to answers
/// that belong to no route.
template <auto... Middleware>
struct use {};

/// Routes and groups under a common prefix, and middleware for them. A route's full pattern is the
/// prefix with the route's pattern behind it: "/api" and "/users" make "/api/users", "/api" and ""
/// make "/api". The prefix may have parameters, and "" is one.
template <fixed_string Prefix, class... Items>
struct group {};

/// An ordinary handler for paths without a route, and for numbers out of range. It sets the status
/// itself: res.set_status(nen::status::not_found), or whatever the answer is.
template <auto Handler>
struct not_found {};

/// A handler that takes a nen::status and answers for an error that has no handler of its own: 404
/// without not_found, 405, 400, and what the server refuses. Without it the answer is res.status().
template <auto Handler>
struct on_error {};

namespace detail {

/// The types of all lists in one. Eight at a time, so that a router of many items stays shallow.
template <class... Lists>
struct concat;
template <>
struct concat<> {
  using type = type_list<>;
};
template <class... A>
struct concat<type_list<A...>> {
  using type = type_list<A...>;
};
template <class... A, class... B, class... Lists>
struct concat<type_list<A...>, type_list<B...>, Lists...>
    : concat<type_list<A..., B...>, Lists...> {};
template <class... A, class... B, class... C, class... D, class... E, class... F, class... G,
          class... H, class... Lists>
struct concat<type_list<A...>, type_list<B...>, type_list<C...>, type_list<D...>, type_list<E...>,
              type_list<F...>, type_list<G...>, type_list<H...>, Lists...>
    : concat<type_list<A..., B..., C..., D..., E..., F..., G..., H...>, Lists...> {};

template <auto Value>
struct constant {
  using type = std::remove_const_t<decltype(Value)>;
  static constexpr type value = Value;
};

template <class List>
struct to_middleware;
template <auto... M>
struct to_middleware<type_list<constant<M>...>> {
  using type = middleware_list<M...>;
};

template <class Pattern, auto Callable, callable_role Role>
struct check_use {
  using done = void;
  using type = std::remove_const_t<decltype(Callable)>;
  using checked = look_into<check_callable<type, Role>, check_captures<Pattern, type, Role>>;
};
template <class Pattern, auto Rule>
requires is_rule<std::remove_const_t<decltype(Rule)>>
struct check_use<Pattern, Rule, callable_role::middleware> {
  using done = void;
};

template <method_mask Methods>
struct check_methods {
  using done = void;
  static_assert(Methods.bits != 0, "a route needs a method: write nen::methods(nen::method::get)");
  static_assert(!Methods.set().contains(method::connect),
                "CONNECT names a host instead of a path, so that no route can answer it: leave "
                "nen::method::connect out");
};

template <method_mask Methods, class Rules>
struct check_allowed_methods {
  using done = void;
  static_assert(Methods.bits == 0 || (Methods.bits & Rules::method_bits) != 0,
                "a route has none of the methods in the nen::allow_methods around it: nobody could "
                "ever reach it");
};

template <method_mask Methods, class Pattern, class Middleware, auto Handler>
struct check_route;
template <method_mask Methods, class Pattern, auto... M, auto Handler>
struct check_route<Methods, Pattern, middleware_list<M...>, Handler> {
  using done = void;
  using checked = look_into<check_methods<Methods>,
                            check_allowed_methods<Methods, rules_of<middleware_list<M...>>>,
                            check_use<Pattern, M, callable_role::middleware>...,
                            check_use<Pattern, Handler, callable_role::handler>>;
};

/// True when one of the middleware asks for a T.
template <class Middleware, class T>
inline constexpr bool any_takes = false;
template <auto... M, class T>
inline constexpr bool any_takes<middleware_list<M...>, T> =
    (callable_takes<std::remove_const_t<decltype(M)>, T> || ...);

/// A route with its groups' prefixes and middleware.
template <method_mask Methods, fixed_string Pattern, class Middleware, auto Handler,
          bool TakesHead = false>
struct bound_route {
  static constexpr bool takes_head = TakesHead;
  static constexpr bool is_coroutine = detail::is_coroutine<std::remove_const_t<decltype(Handler)>>;
  using pattern_type = pattern<Pattern>;
  using rules = rules_of<Middleware>;
  static constexpr std::string_view text = Pattern.view();
  static constexpr method_set methods = both(Methods, rules::method_bits).set();

  template <class T>
  static constexpr bool takes =
      callable_takes<std::remove_const_t<decltype(Handler)>, T> || any_takes<Middleware, T>;

  using checks = check_route<Methods, pattern_type, Middleware, Handler>;

  template <class Call>
  using code = route_code<Call, pattern_type, Middleware, Handler>;
};

/// string_view::find is not constant for template arguments in GCC 12's sanitizer builds.
constexpr bool has_rest(std::string_view text) noexcept {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i - 1] == '/' && text[i] == '*') return true;
  }
  return false;
}

template <fixed_string Prefix>
struct check_prefix {
  using done = void;
  static constexpr std::string_view text = Prefix.view();
  static_assert(text.empty() || text.starts_with('/'),
                "a group's prefix starts with '/' or is \"\": write \"/api\" instead of \"api\"");
  static_assert(!text.ends_with('/'),
                "a group's prefix does not end with '/': write \"/api\" instead of \"/api/\", the "
                "slash comes with the patterns in the group");
  static_assert(
      !has_rest(text),
      "a group's prefix cannot have a \"*rest\", which hides every route behind it: write "
      "a ':' parameter, or put \"*rest\" at the end of the routes' patterns");
};

template <fixed_string Prefix, fixed_string Pattern>
struct check_inner_pattern {
  using done = void;
  static_assert(Prefix.empty() || Pattern.empty() || Pattern.view().starts_with('/'),
                "a route's pattern starts with '/': write \"/users\" instead of \"users\"");
};

template <fixed_string Prefix, fixed_string Pattern>
struct full_pattern {
  using checked = look_into<check_inner_pattern<Prefix, Pattern>>;
  static constexpr auto value = join(Prefix, Pattern);
};

template <class Item>
struct check_item {
  using done = void;
  static_assert(sizeof(Item) == 0,
                "a router or group holds nen::get, post, put, patch, del, head, options, any, "
                "route, group and use, and a router not_found and on_error: write one of these");
};

/// What most items leave out.
struct item_defaults {
  using middleware = type_list<>;
  using not_found_handlers = type_list<>;
  using error_handlers = type_list<>;
  template <fixed_string Prefix, class Outer>
  using routes = type_list<>;
};

/// What one item adds to the router that it stands in.
template <class Item>
struct item : item_defaults {
  using checked = look_into<check_item<Item>>;
};

template <method_mask Methods, fixed_string Pattern, auto Handler>
struct item<route<Methods, Pattern, Handler>> : item_defaults {
  template <fixed_string Prefix, class Outer>
  using routes = type_list<bound_route<Methods, full_pattern<Prefix, Pattern>::value,
                                       typename to_middleware<Outer>::type, Handler>>;
};

template <detail::method_mask Methods, fixed_string Pattern, auto Handler>
struct item<streamed<route<Methods, Pattern, Handler>>> : item_defaults {
  template <fixed_string Prefix, class Outer>
  using routes = type_list<bound_route<Methods, full_pattern<Prefix, Pattern>::value,
                                       typename to_middleware<Outer>::type, Handler, true>>;
};
template <auto... M>
struct item<use<M...>> : item_defaults {
  using middleware = type_list<constant<M>...>;
};

template <auto Handler>
struct item<not_found<Handler>> : item_defaults {
  using not_found_handlers = type_list<constant<Handler>>;
};

template <auto Handler>
struct item<on_error<Handler>> : item_defaults {
  using error_handlers = type_list<constant<Handler>>;
};

/// The items' routes, each with the prefix and the middleware of all that it stands in.
template <fixed_string Prefix, class Outer, class... Items>
struct flatten {
  using inner = typename concat<Outer, typename item<Items>::middleware...>::type;
  using type = typename concat<typename item<Items>::template routes<Prefix, inner>...>::type;
};

template <class... Items>
struct check_group {
  using done = void;
  using errors = typename concat<typename item<Items>::not_found_handlers...,
                                 typename item<Items>::error_handlers...>::type;
  static_assert(std::is_same_v<type_list<>, errors>,
                "nen::not_found and nen::on_error are for the whole router: move them out of the "
                "group");
};

template <fixed_string Prefix, class... Items>
struct item<group<Prefix, Items...>> : item_defaults {
  using checked = look_into<check_prefix<Prefix>, check_group<Items...>>;
  template <fixed_string Before, class Outer>
  using routes = typename flatten<join(Before, Prefix), Outer, Items...>::type;
};

}  // namespace detail
}  // namespace nen
