// Calls a handler with what it asked for, and middleware around it: everything is resolved by type
// while the program is compiled. http, L1
#pragma once

#include <cstddef>
#include <cstdint>
#include <nen/core/ascii.hpp>
#include <nen/http/handler.hpp>
#include <nen/http/middleware_rules.hpp>
#include <nen/http/path_segments.hpp>
#include <nen/http/pattern.hpp>
#include <nen/http/percent.hpp>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace nen::detail {

/// One request on its way through middleware to its handler.
struct call {
  const request& req;
  response& res;
  const path_segments* segments;
  std::span<char> scratch;
  /// Answers with an error the way the router was told to.
  reply (*fail)(call&, status);
  /// For the handler of nen::on_error.
  status error{};
  /// For a handler that is a coroutine.
  nen::context* context = nullptr;
};

template <class... State>
struct call_with : call {
  state_refs<State...> states;
};

inline reply next_access::refuse(call& c, status code) { return c.fail(c, code); }

/// Why a handler could not be called.
enum class binding_status : std::uint8_t { ok, not_found, bad_request, uri_too_long };

constexpr status to_status(binding_status s) noexcept {
  switch (s) {
    case binding_status::ok:
      return status::ok;
    case binding_status::not_found:
      return status::not_found;
    case binding_status::bad_request:
      return status::bad_request;
    case binding_status::uri_too_long:
      return status::uri_too_long;
  }
  return status::internal_server_error;  // only a value that was cast into the enum comes here
}

inline std::string_view captured_text(const call& c, capture_place place) noexcept {
  return place.rest ? c.segments->from(c.req.path(), place.segment)
                    : c.segments->segment(c.req.path(), place.segment);
}

/// Decodes into the scratch at the same distance from its begin as the text has in the path. So
/// captures never share bytes, and decoding one again for another callable changes nothing.
inline binding_status decode_capture(const call& c, capture_place place,
                                     std::string_view& decoded) noexcept {
  const std::string_view raw = captured_text(c, place);
  const std::size_t offset = c.segments->begin[place.segment];
  const std::size_t room = c.scratch.size() > offset ? c.scratch.size() - offset : 0;
  const percent_result result =
      percent_decode(raw, {c.scratch.data() + (room == 0 ? 0 : offset), room});
  decoded = result.text;
  switch (result.status) {
    case percent_status::ok:
      return binding_status::ok;
    case percent_status::bad_escape:
      return binding_status::bad_request;
    case percent_status::no_room:
      return binding_status::uri_too_long;
  }
  return binding_status::bad_request;
}

/// One parameter's value. Prepared values are kept until the callable has returned, so that it may
/// take them by reference.
template <std::size_t Position, class Parameter, parameter_kind Kind = kind_of<Parameter>>
struct argument {
  static binding_status prepare(const call&, capture_place) noexcept { return binding_status::ok; }

  template <class Call>
  static Parameter get(Call& c, const next& n) noexcept {
    if constexpr (Kind == parameter_kind::request) {
      return c.req;
    } else if constexpr (Kind == parameter_kind::response) {
      return c.res;
    } else if constexpr (Kind == parameter_kind::context) {
      return *c.context;
    } else if constexpr (Kind == parameter_kind::next) {
      return n;
    } else if constexpr (Kind == parameter_kind::status) {
      return c.error;
    } else {
      return state<Call>(c);
    }
  }

 private:
  template <class Call>
  static Parameter state(Call& c) noexcept {
    using T = std::remove_cvref_t<Parameter>;
    constexpr bool known = decltype(c.states)::template has<T>;
    static_assert(known,
                  "a handler takes a state that the server does not have: add its type to "
                  "nen::server<routes, config, State...>, or specialise nen::extractor for it if "
                  "it comes from the request");
    if constexpr (known) {
      return c.states.template get<T>();
    } else {
      __builtin_unreachable();  // It does not compile; this keeps the message above the only one.
    }
  }
};

template <std::size_t Position, class Parameter>
struct argument<Position, Parameter, parameter_kind::text> {
  std::string_view value{};

  binding_status prepare(const call& c, capture_place place) noexcept {
    return decode_capture(c, place, value);
  }
  template <class Call>
  Parameter get(Call&, const next&) const noexcept {
    return value;
  }
};

template <std::size_t Position, class Parameter>
struct argument<Position, Parameter, parameter_kind::integer> {
  std::remove_cvref_t<Parameter> value{};

  binding_status prepare(const call& c, capture_place place) noexcept {
    const auto parsed = parse_decimal<std::remove_cvref_t<Parameter>>(captured_text(c, place));
    if (!parsed) return binding_status::not_found;
    value = *parsed;
    return binding_status::ok;
  }
  template <class Call>
  Parameter get(Call&, const next&) const noexcept {
    return value;
  }
};

template <std::size_t Position, class Parameter>
struct argument<Position, Parameter, parameter_kind::extracted> {
  using type = std::remove_cvref_t<Parameter>;
  std::optional<type> value{};

  binding_status prepare(const call& c, capture_place) {
    std::optional<type> found = extractor<type>::from(c.req);
    if (!found) return binding_status::bad_request;
    value.emplace(std::move(*found));
    return binding_status::ok;
  }
  template <class Call>
  std::conditional_t<std::is_reference_v<Parameter>, Parameter, type&&> get(Call&, const next&) {
    return static_cast<std::conditional_t<std::is_reference_v<Parameter>, Parameter, type&&>>(
        *value);
  }
};

template <class Positions, class Parameters>
struct arguments;

template <std::size_t... Position, class... Parameter>
struct arguments<std::index_sequence<Position...>, type_list<Parameter...>>
    : argument<Position, Parameter>... {
  template <class Pattern>
  static constexpr capture_place place(std::size_t position) noexcept {
    const std::size_t ordinal = parameters_of<type_list<Parameter...>>::ordinals.of[position];
    return ordinal < Pattern::capture_count ? Pattern::captures[ordinal] : capture_place{};
  }

  template <class Pattern>
  binding_status prepare([[maybe_unused]] const call& c) {
    binding_status result = binding_status::ok;
    static_cast<void>((((result = argument<Position, Parameter>::prepare(
                             c, place<Pattern>(Position))) == binding_status::ok) &&
                       ...));
    return result;
  }

  template <class Call, class Callable>
  auto apply(const Callable& callable, [[maybe_unused]] Call& c, [[maybe_unused]] const next& n) {
    return callable(argument<Position, Parameter>::get(c, n)...);
  }
};

/// Prepares what the callable asks for and calls it, or answers why it cannot be called.
template <class Pattern, class Callable, class Call>
requires(!is_coroutine<Callable>) reply invoke(const Callable& callable, Call& c, const next& n) {
  using list = typename signature<Callable>::parameters;
  arguments<std::make_index_sequence<parameters_of<list>::count>, list> values;
  const binding_status prepared = values.template prepare<Pattern>(c);
  if (prepared != binding_status::ok) [[unlikely]]
    return c.fail(c, to_status(prepared));
  return values.apply(callable, c, n);
}

/// The same for a handler that is a coroutine: what it works with is kept as long as it runs.
template <class Pattern, class Callable, class Call>
requires(is_coroutine<Callable>) reply invoke(const Callable& callable, Call& c, const next& n) {
  using list = typename signature<Callable>::parameters;
  deferred_host* const host = deferred_access::host(response_access::handle(c.res));
  task_ground* const ground = host == nullptr ? nullptr : host->call->begin_task(*host, c.res);
  if (ground == nullptr) return c.res.field("Retry-After", "1").status(status::service_unavailable);
  Call kept{{*ground->request,
             *ground->response,
             c.segments,
             {ground->scratch, ground->scratch_bytes},
             c.fail,
             c.error,
             ground->context},
            c.states};
  arguments<std::make_index_sequence<parameters_of<list>::count>, list> values;
  const binding_status prepared = values.template prepare<Pattern>(kept);
  if (prepared != binding_status::ok) [[unlikely]] {
    host->call->abandon_task(*host, *ground);
    return c.fail(c, to_status(prepared));
  }
  auto made = values.apply(callable, kept, n);
  return host->call->run_task(*host, *ground, c.res, &made);
}

/// The code of one route: its middleware, outermost first, around its handler. It is named by what
/// it depends on, not by the router, because a router's name holds all of its routes.
template <class Call, class Pattern, class Middleware, auto Handler>
struct route_code;

template <class Call, class Pattern, auto Handler>
struct route_code<Call, Pattern, middleware_list<>, Handler> {
  static reply run(call& c) {
    return invoke<Pattern>(Handler, static_cast<Call&>(c), next_access::make(nullptr, c));
  }
};

template <class Call, class Pattern, auto First, auto... Others, auto Handler>
requires is_rule<std::remove_const_t<decltype(First)>>
struct route_code<Call, Pattern, middleware_list<First, Others...>, Handler>
    : route_code<Call, Pattern, middleware_list<Others...>, Handler> {
};

template <class Call, class Pattern, auto First, auto... Others, auto Handler>
struct route_code<Call, Pattern, middleware_list<First, Others...>, Handler> {
  static reply run(call& c) {
    constexpr auto behind = &route_code<Call, Pattern, middleware_list<Others...>, Handler>::run;
    return invoke<Pattern>(First, static_cast<Call&>(c), next_access::make(behind, c));
  }
};

}  // namespace nen::detail
