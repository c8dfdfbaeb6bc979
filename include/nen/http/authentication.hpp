// Who is asking: Basic (RFC 7617) and Bearer (RFC 6750) authentication as middleware. Not part of
// nen.hpp. http, L1
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <nen/core/ascii.hpp>
#include <nen/core/constant_time.hpp>
#include <nen/core/digest.hpp>
#include <nen/core/fixed_string.hpp>
#include <nen/http/handler.hpp>
#include <nen/http/request.hpp>
#include <nen/http/response.hpp>
#include <nen/http/router.hpp>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace nen {

/// The user and the password of a request with Basic credentials; handlers can take one. Behind
/// nen::basic_auth they are those that were found to be right.
class basic_credentials {
 public:
  static constexpr std::size_t bytes_max = 512;  ///< of both, with the colon; more is malformed

  std::string_view user() const noexcept { return {bytes_.data(), user_size_}; }
  std::string_view password() const noexcept {
    return {bytes_.data() + user_size_ + 1, size_ - user_size_ - 1U};
  }

  /// @param text  what stands behind "Basic"
  /// @returns     nothing unless it is base64 of user:password without control characters
  static std::optional<basic_credentials> parse(std::string_view text) noexcept {
    std::optional<basic_credentials> made(std::in_place);
    const auto size = read_base64(text, made->bytes_);
    if (!size) return std::nullopt;
    const std::string_view both(made->bytes_.data(), *size);
    const auto colon = both.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    for (const char c : both) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return std::nullopt;
    }
    made->size_ = static_cast<std::uint16_t>(*size);
    made->user_size_ = static_cast<std::uint16_t>(colon);
    return made;
  }

 private:
  std::array<char, bytes_max> bytes_;
  std::uint16_t user_size_ = 0;
  std::uint16_t size_ = 0;
};

/// The token of a request with Bearer credentials; handlers can take one. It is a view of the
/// request.
struct bearer_token {
  std::string_view text;
};

namespace detail {

/// What a request says about who sent it.
enum class credentials : std::uint8_t {
  none,  ///< or those of another scheme
  malformed,
  there,
};

/// @param text  what stands behind the scheme's name, when they are there
inline credentials find_credentials(const request& req, std::string_view scheme,
                                    std::string_view& text) noexcept {
  const auto field = req.field("Authorization");
  if (!field) return credentials::none;
  if (req.fields().count("Authorization") != 1) return credentials::malformed;
  const auto name = field->substr(0, field->find(' '));
  if (!equals_ignoring_case(name, scheme)) return credentials::none;
  text = trim_ows(field->substr(name.size()));
  return credentials::there;
}

/// b64token, RFC 6750 §2.1.
constexpr bool is_bearer_token(std::string_view text) noexcept {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  for (const char c : text) {
    if (!is_alpha(c) && !is_digit(c) && c != '-' && c != '.' && c != '_' && c != '~' && c != '+' &&
        c != '/')
      return false;
  }
  return !text.empty();
}

inline credentials find_basic(const request& req, std::optional<basic_credentials>& who) noexcept {
  std::string_view text;
  const credentials found = find_credentials(req, "Basic", text);
  if (found != credentials::there) return found;
  who = basic_credentials::parse(text);
  return who ? credentials::there : credentials::malformed;
}

inline credentials find_bearer(const request& req, bearer_token& token) noexcept {
  const credentials found = find_credentials(req, "Bearer", token.text);
  if (found != credentials::there) return found;
  return is_bearer_token(token.text) ? credentials::there : credentials::malformed;
}

/// quoted-string without anything that has to be quoted, RFC 9110 §5.6.4.
constexpr bool is_realm(std::string_view text) noexcept {
  for (const char c : text) {
    if (c < ' ' || c >= 0x7f || c == '"' || c == '\\') return false;
  }
  return true;
}

template <fixed_string Realm>
struct check_realm {
  using done = void;
  static_assert(is_realm(Realm.view()),
                "a realm is printable ASCII without quotes and backslashes");
};

/// `Basic realm="staff", charset="UTF-8"`: what WWW-Authenticate says.
template <fixed_string Before, fixed_string Realm, fixed_string Behind>
inline constexpr auto challenge = [] {
  std::array<char, Before.size() + Realm.size() + Behind.size()> text{};
  std::size_t size = 0;
  for (const char c : Before.view()) text[size++] = c;
  for (const char c : Realm.view()) text[size++] = c;
  for (const char c : Behind.view()) text[size++] = c;
  return text;
}();

template <fixed_string Before, fixed_string Realm, fixed_string Behind>
reply challenge_with(response& res, const next& go_on, status code) {
  constexpr const auto& text = challenge<Before, Realm, Behind>;
  res.field("WWW-Authenticate", {text.data(), text.size()});
  return go_on.refuse(code);
}

/// What a check takes behind the texts that it judges.
template <class Signature, class... Texts>
struct check_function {
  static constexpr bool is_right = false;
  using others = type_list<>;
};
template <class... Others>
struct check_function<signature_of<bool, std::string_view, std::string_view, Others...>,
                      std::string_view, std::string_view> {
  static constexpr bool is_right = true;
  using others = type_list<Others...>;
};
template <class... Others>
struct check_function<signature_of<bool, std::string_view, Others...>, std::string_view> {
  static constexpr bool is_right = true;
  using others = type_list<Others...>;
};

template <class F>
struct signature_base {
  using type = void;
};
template <has_signature F>
struct signature_base<F> {
  template <class R, class... P>
  static signature_of<R, P...> find(const signature_of<R, P...>&);
  using type = decltype(find(std::declval<signature<F>>()));
};

template <auto Check, class... Texts>
using check_function_of =
    check_function<typename signature_base<std::remove_const_t<decltype(Check)>>::type, Texts...>;

template <fixed_string Realm, auto Check, class Others>
struct basic_filter;
template <fixed_string Realm, auto Check, class... Others>
struct basic_filter<Realm, Check, type_list<Others...>> {
  using checked = look_into<check_realm<Realm>>;
  static_assert(check_function_of<Check, std::string_view, std::string_view>::is_right,
                "the check in nen::basic_auth returns bool and takes the user and the password, "
                "each as std::string_view, and behind them what else a handler can take");

  reply operator()(const request& req, response& res, const next& go_on, Others... others) const {
    std::optional<basic_credentials> who;
    const credentials found = find_basic(req, who);
    if (found == credentials::there &&
        Check(who->user(), who->password(), static_cast<Others&&>(others)...))
      return go_on();
    return challenge_with<"Basic realm=\"", Realm, "\", charset=\"UTF-8\"">(
        res, go_on, found == credentials::malformed ? status::bad_request : status::unauthorized);
  }
};

template <fixed_string Realm, auto Check, class Others>
struct bearer_filter;
template <fixed_string Realm, auto Check, class... Others>
struct bearer_filter<Realm, Check, type_list<Others...>> {
  using checked = look_into<check_realm<Realm>>;
  static_assert(check_function_of<Check, std::string_view>::is_right,
                "the check in nen::bearer_auth returns bool and takes the token as "
                "std::string_view, and behind it what else a handler can take");

  reply operator()(const request& req, response& res, const next& go_on, Others... others) const {
    bearer_token token;
    switch (find_bearer(req, token)) {
      case credentials::there:
        if (Check(token.text, static_cast<Others&&>(others)...)) return go_on();
        return challenge_with<"Bearer realm=\"", Realm, "\", error=\"invalid_token\"">(
            res, go_on, status::unauthorized);
      case credentials::malformed:
        return challenge_with<"Bearer realm=\"", Realm, "\", error=\"invalid_request\"">(
            res, go_on, status::bad_request);
      case credentials::none:
        break;
    }
    return challenge_with<"Bearer realm=\"", Realm, "\"">(res, go_on, status::unauthorized);
  }
};

}  // namespace detail

template <>
struct extractor<basic_credentials> {
  static std::optional<basic_credentials> from(const request& req) noexcept {
    std::optional<basic_credentials> who;
    static_cast<void>(detail::find_basic(req, who));
    return who;
  }
};

template <>
struct extractor<bearer_token> {
  static std::optional<bearer_token> from(const request& req) noexcept {
    bearer_token token;
    if (detail::find_bearer(req, token) != detail::credentials::there) return std::nullopt;
    return token;
  }
};

/// Lets requests through to the routes of the router or group that it stands in whose user and
/// password are right. Others are answered 401 with a challenge, and 400 when what they say is
/// malformed, as nen::on_error says it. The handler behind it takes a const basic_credentials&.
/// @tparam Check  bool(std::string_view user, std::string_view password, …): a function or a
///                structural object; behind these it takes what a handler can take, as State&. Let
///                it compare with equal_in_constant_time
template <fixed_string Realm, auto Check>
using basic_auth = use<detail::basic_filter<
    Realm, Check,
    typename detail::check_function_of<Check, std::string_view, std::string_view>::others>{}>;

/// The same for who has a token. The handler behind it takes a nen::bearer_token.
/// @tparam Check  bool(std::string_view token, …)
template <fixed_string Realm, auto Check>
using bearer_auth = use<detail::bearer_filter<
    Realm, Check, typename detail::check_function_of<Check, std::string_view>::others>{}>;

}  // namespace nen
