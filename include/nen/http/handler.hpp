// What a handler may ask for, and the checks that tell at compile time when it asks for something
// that it cannot have. http, L1
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <nen/core/state_refs.hpp>
#include <nen/core/type_list.hpp>
#include <nen/http/request.hpp>
#include <nen/http/response.hpp>
#include <nen/http/status.hpp>
#include <optional>
#include <string_view>
#include <type_traits>

namespace nen {

class context;
template <class T>
class task;

/// The open door for handlers' parameters: specialise it for a type of your own with
/// `static std::optional<T> from(const nen::request&)`, and handlers and middleware can take a T or
/// a const T&. Nothing answers 400.
template <class T>
struct extractor;

namespace detail {

struct call;
struct next_access;

}  // namespace detail

/// What is behind a middleware: the next one, in the end the handler. Call it at most once, before
/// the middleware returns.
class next {
 public:
  reply operator()() const { return function_(*call_); }

  /// Instead: answers with an error the way nen::on_error says, behind the fields that were added
  /// before.
  inline reply refuse(status code) const;

 private:
  friend struct detail::next_access;
  using function = reply (*)(detail::call&);
  constexpr next(function f, detail::call* c) noexcept : function_(f), call_(c) {}

  function function_;
  detail::call* call_;
};

namespace detail {

struct next_access {
  static constexpr next make(reply (*function)(call&), call& c) noexcept { return {function, &c}; }
  static reply refuse(call& c, status code);
};

}  // namespace detail

inline reply next::refuse(status code) const { return detail::next_access::refuse(*call_, code); }

namespace detail {

/// What the callable takes and returns. It stays incomplete for overloaded and generic ones.
template <class F>
struct signature;

template <class R, class... P>
struct signature_of {
  using result = R;
  using parameters = type_list<P...>;
};

template <class R, class... P>
struct signature<R (*)(P...)> : signature_of<R, P...> {};
template <class R, class... P>
struct signature<R (*)(P...) noexcept> : signature_of<R, P...> {};
template <class R, class C, class... P>
struct signature<R (C::*)(P...) const> : signature_of<R, P...> {};
template <class R, class C, class... P>
struct signature<R (C::*)(P...) const noexcept> : signature_of<R, P...> {};
template <class F>
requires requires { typename signature<decltype(&F::operator())>::result; }
struct signature<F> : signature<decltype(&F::operator())> {};

template <class F>
concept has_signature = requires {
  typename signature<F>::result;
};

/// What a handler may return. One that is a coroutine returns a task.
template <class R>
inline constexpr bool is_task = std::is_same_v<R, task<reply>>;
template <class R>
inline constexpr bool is_answer = std::is_same_v<R, reply> || is_task<R>;

/// True for a handler that is a coroutine.
template <class Callable>
inline constexpr bool is_coroutine = false;
template <has_signature Callable>
inline constexpr bool is_coroutine<Callable> = is_task<typename signature<Callable>::result>;

template <class T>
concept extractable = requires(const request& r) {
  { extractor<T>::from(r) } -> std::same_as<std::optional<T>>;
};

/// Integers that a path can be read as: what counts, not what stands for a character or a truth.
template <class T>
inline constexpr bool is_path_integer =
    std::is_integral_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, char> &&
    !std::is_same_v<T, wchar_t> && !std::is_same_v<T, char8_t> && !std::is_same_v<T, char16_t> &&
    !std::is_same_v<T, char32_t>;

enum class parameter_kind : std::uint8_t {
  request,
  response,
  context,
  next,
  status,
  text,     ///< captured
  integer,  ///< captured
  extracted,
  state,
  unsupported,
};

template <class P>
consteval parameter_kind classify() {
  using T = std::remove_cvref_t<P>;
  constexpr bool is_value = std::is_same_v<P, T> || std::is_same_v<P, const T&>;
  if (std::is_same_v<P, const request&>) return parameter_kind::request;
  if (std::is_same_v<P, response&>) return parameter_kind::response;
  if (std::is_same_v<P, context&>) return parameter_kind::context;
  if (is_value && std::is_same_v<T, next>) return parameter_kind::next;
  if (is_value && std::is_same_v<T, status>) return parameter_kind::status;
  if (is_value && std::is_same_v<T, std::string_view>) return parameter_kind::text;
  if (is_value && is_path_integer<T>) return parameter_kind::integer;
  if constexpr (is_value && std::is_class_v<T>) {
    if (extractable<T>) return parameter_kind::extracted;
  }
  if (std::is_lvalue_reference_v<P> && std::is_class_v<T> && !std::is_same_v<T, request> &&
      !std::is_same_v<T, response> && !std::is_same_v<T, next> &&
      !std::is_same_v<T, std::string_view>) {
    return parameter_kind::state;
  }
  return parameter_kind::unsupported;
}

template <class P>
inline constexpr parameter_kind kind_of = classify<P>();

constexpr bool is_capture(parameter_kind kind) noexcept {
  return kind == parameter_kind::text || kind == parameter_kind::integer;
}

/// What a callable is there for; it decides which parameters it may have.
enum class callable_role : std::uint8_t { handler, middleware, error_handler };

/// Makes the compiler look into classes of assertions. It asks each for a type: a constant of a
/// class whose assertion failed would be one more error to some compilers.
template <class... Checks>
using look_into = type_list<typename Checks::done...>;

/// One parameter of a callable; the type stands in the compiler's message.
template <class Parameter, callable_role Role>
struct check_parameter {
  using done = void;
  using T = std::remove_cvref_t<Parameter>;
  static constexpr parameter_kind kind = kind_of<Parameter>;
  static constexpr bool bad = kind == parameter_kind::unsupported;

  static_assert(!(bad && std::is_same_v<T, request>),
                "a handler takes the request as const nen::request&");
  static_assert(!(bad && std::is_same_v<T, response>),
                "a handler takes the response as nen::response&");
  static_assert(!(bad && std::is_scalar_v<T>),
                "a handler's parameter has a type that no path segment is read as: write "
                "std::string_view or an integer type, by value (not bool, a character type, an "
                "enum, a floating-point type or a pointer)");
  static_assert(!(bad && !std::is_scalar_v<T> && !std::is_same_v<T, request> &&
                  !std::is_same_v<T, response>),
                "a handler's parameter has a type that Nen Net cannot provide: take a state as "
                "State&, or specialise nen::extractor for the type and take it by value");
  static_assert(kind != parameter_kind::next || Role == callable_role::middleware,
                "only middleware takes nen::next: remove it from the handler, or put the callable "
                "into nen::use<...>");
  static_assert(kind != parameter_kind::status || Role == callable_role::error_handler,
                "only the handler in nen::on_error<...> takes nen::status");
};

template <class List>
struct parameters_of;

template <class... P>
struct parameters_of<type_list<P...>> {
  static constexpr std::size_t count = sizeof...(P);
  static constexpr std::size_t capture_count = (std::size_t{is_capture(kind_of<P>)} + ... + 0U);
  template <callable_role Role>
  using checked = look_into<check_parameter<P, Role>...>;
  static constexpr bool supported = ((kind_of<P> != parameter_kind::unsupported) && ...);
  template <class T>
  static constexpr bool takes = (std::is_same_v<std::remove_cvref_t<P>, T> || ...);
  static constexpr bool takes_next = ((kind_of<P> == parameter_kind::next) || ...);
  static constexpr bool takes_context = ((kind_of<P> == parameter_kind::context) || ...);
  static constexpr bool takes_value_by_reference =
      ((std::is_reference_v<P> &&
        (is_capture(kind_of<P>) || kind_of<P> == parameter_kind::extracted)) ||
       ...);

  /// For each parameter: how many captured ones stand before it.
  static constexpr auto ordinals = [] {
    struct {
      std::size_t of[count + 1];
    } result{};
    constexpr bool captured[] = {is_capture(kind_of<P>)..., false};
    for (std::size_t i = 0; i < count; ++i) result.of[i + 1] = result.of[i] + captured[i];
    return result;
  }();

  /// True when the parameter that takes the capture of this ordinal is an integer.
  static constexpr bool takes_integer(std::size_t ordinal) noexcept {
    constexpr bool integer[] = {(kind_of<P> == parameter_kind::integer)..., false};
    constexpr bool captured[] = {is_capture(kind_of<P>)..., false};
    for (std::size_t i = 0; i < count; ++i) {
      if (captured[i] && ordinals.of[i] == ordinal) return integer[i];
    }
    return false;
  }
};

template <class Callable>
using parameters = parameters_of<typename signature<Callable>::parameters>;

/// True for a callable that asks for a T.
template <class Callable, class T>
inline constexpr bool callable_takes = false;
template <has_signature Callable, class T>
inline constexpr bool callable_takes<Callable, T> = parameters<Callable>::template takes<T>;

/// What every callable must be, whatever its pattern.
template <class Callable, callable_role Role>
struct check_callable {
  using done = void;
  static_assert(has_signature<Callable>,
                "a handler has exactly one call operator, const and not a template: name the "
                "parameter types instead of auto, and remove overloads and mutable");
};

template <class Callable, callable_role Role>
requires has_signature<Callable>
struct check_callable<Callable, Role> {
  using done = void;
  static_assert(is_answer<typename signature<Callable>::result>,
                "a handler returns nen::reply: write \"return res.text(...)\", or another function "
                "of nen::response that gives a reply, on every path");
  using checked = typename parameters<Callable>::template checked<Role>;
  static_assert(Role == callable_role::handler || !is_coroutine<Callable>,
                "only the handler of a route is a coroutine: middleware and the handler in "
                "nen::on_error return nen::reply");
  static_assert(!parameters<Callable>::takes_context || is_coroutine<Callable>,
                "nen::context is for coroutines: let the handler return nen::task<nen::reply>, or "
                "remove the parameter");
  static_assert(!is_coroutine<Callable> || !parameters<Callable>::takes_value_by_reference,
                "a coroutine takes values by value, because it may go on when the references are "
                "gone: write std::string_view instead of const std::string_view&");
  static_assert(Role != callable_role::middleware || parameters<Callable>::takes_next,
                "middleware takes a nen::next and calls it to go on: add the parameter");
};

/// How a callable fits the captures of the pattern it is used with. What takes something
/// unsupported has been reported for that, and cannot be counted.
template <class Pattern, class Callable, callable_role Role>
struct check_captures {
  using done = void;
};

template <class Pattern, class Callable, callable_role Role>
requires(has_signature<Callable>&&
             parameters<Callable>::supported) struct check_captures<Pattern, Callable, Role> {
  using done = void;
  static constexpr std::size_t in_pattern = Pattern::capture_count;
  static constexpr std::size_t taken = parameters<Callable>::capture_count;

  static_assert(Role != callable_role::handler || taken <= in_pattern,
                "a handler takes more values than its pattern has parameters: add \":name\" to the "
                "pattern or remove a parameter of the handler");
  static_assert(Role != callable_role::handler || taken >= in_pattern,
                "a handler takes fewer values than its pattern has parameters: add a "
                "std::string_view or an integer for each \":name\" and \"*name\", in their order");
  static_assert(Role == callable_role::handler || taken <= in_pattern,
                "middleware takes more values than the pattern of a route behind it has "
                "parameters: it can take the leading ones that every such route has");

  static constexpr bool rest_is_text() {
    for (std::size_t i = 0; i < in_pattern && i < taken; ++i) {
      if (Pattern::captures[i].rest && parameters<Callable>::takes_integer(i)) return false;
    }
    return true;
  }
  static_assert(rest_is_text(),
                "\"*rest\" is text with slashes in it: take it as std::string_view");
};

}  // namespace detail
}  // namespace nen
