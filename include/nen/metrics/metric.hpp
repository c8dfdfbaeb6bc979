// metrics, L1: an application's metric as a type: its name, what it counts, its label; checked at
// compile time.
#pragma once

#include <nen/core/ascii.hpp>
#include <nen/core/fixed_string.hpp>
#include <nen/metrics/exposition.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace nen {
namespace detail {

constexpr bool is_metric_name(std::string_view name) noexcept {
  bool allowed = !name.empty() && !is_digit(name.front());
  for (const char c : name) {
    allowed =
        allowed && (is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
  }
  return allowed;
}

template <std::size_t Count>
constexpr bool are_label_values(const std::array<std::string_view, Count>& values) noexcept {
  for (std::size_t i = 0; i < Count; ++i) {
    if (values[i].empty()) return false;
    for (std::size_t j = i + 1; j < Count; ++j) {
      if (values[i] == values[j]) return false;
    }
  }
  return Count != 0;
}

/// What a metric must be; its name stands in the compiler's message.
template <fixed_string Name, fixed_string Help, metric_kind Kind>
struct check_metric {
  using done = void;
  static constexpr std::string_view name = Name.view();
  static_assert(is_metric_name(name),
                "a metric's name consists of letters, digits and '_' and begins with no digit: "
                "write \"shop_orders_total\"");
  static_assert(!name.starts_with("nen_") && !name.starts_with("process_"),
                "names that begin with nen_ or process_ are those of nen's own metrics: begin the "
                "metric's name with your application's");
  static_assert(Kind != metric_kind::counter ||
                    (name.ends_with("_total") && name.size() > std::string_view("_total").size()),
                "a counter's name ends in _total: write \"shop_orders_total\"");
  static_assert(Kind == metric_kind::counter || !name.ends_with("_total"),
                "only a counter's name ends in _total: leave it out, or make it a "
                "nen::counter_metric");
  static_assert(!name.ends_with("_bucket") && !name.ends_with("_count") &&
                    !name.ends_with("_sum") && !name.ends_with("_created"),
                "a metric's name ends in none of _bucket, _count, _sum and _created, which are the "
                "names of a histogram's parts");
  static_assert(!Help.empty(), "a metric says in a sentence what it counts: write one");
};

template <fixed_string Name, fixed_string... Values>
struct check_label {
  using done = void;
  static constexpr std::string_view name = Name.view();
  static_assert(is_metric_name(name) && !name.starts_with("__") && name != "le",
                "a label's name consists of letters, digits and '_', begins with neither a digit "
                "nor \"__\", and is not \"le\", which is a histogram's: write \"kind\"");
  static_assert(are_label_values(std::array<std::string_view, sizeof...(Values)>{Values.view()...}),
                "a label has values, of which none is empty and no two are the same: write them "
                "behind its name");
};

}  // namespace detail

/// A metric's label with all of its values, each of which is a series.
template <fixed_string Name, fixed_string... Values>
struct labelled {
  using checked = typename detail::check_label<Name, Values...>::done;

  static constexpr std::string_view name = Name.view();
  static constexpr std::array<std::string_view, sizeof...(Values)> values{Values.view()...};
};

/// A metric that is one series.
struct unlabelled {
  static constexpr std::string_view name{};
  static constexpr std::array<std::string_view, 1> values{};
};

/// One metric. A type of its own that derives from it is how it is named where it is counted:
/// @code
///   struct orders : nen::counter_metric<"shop_orders_total", "Orders placed."> {};
///   struct paid : nen::counter_metric<"shop_payments_total", "Payments, by their way.",
///                                     nen::labelled<"way", "card", "cash">> {};
/// @endcode
/// A name that ends in `_seconds`, or in `_seconds_total`, is counted in nanoseconds and shown in
/// seconds.
template <fixed_string Name, fixed_string Help, metric_kind Kind, class Label = unlabelled>
struct metric {
  using checked = typename detail::check_metric<Name, Help, Kind>::done;
  using label = Label;

  static constexpr metric_kind kind = Kind;
  static constexpr std::string_view name = Name.view();
  static constexpr std::string_view help = Help.view();
  static constexpr bool is_time = name.ends_with("_seconds") || name.ends_with("_seconds_total");
  static constexpr bool has_label = !Label::name.empty();
  /// How many series it is: one for each value of its label.
  static constexpr std::size_t series = Label::values.size();

  /// Which series a value of the label is; `series` when it is none. Empty: the only one.
  static constexpr std::size_t index_of(std::string_view value) noexcept {
    std::size_t i = 0;
    while (i < series && Label::values[i] != value) ++i;
    return i;
  }
};

/// What only grows.
template <fixed_string Name, fixed_string Help, class Label = unlabelled>
struct counter_metric : metric<Name, Help, metric_kind::counter, Label> {};
/// What goes up and down.
template <fixed_string Name, fixed_string Help, class Label = unlabelled>
struct gauge_metric : metric<Name, Help, metric_kind::gauge, Label> {};
/// How often which duration, or size, occurs.
template <fixed_string Name, fixed_string Help, class Label = unlabelled>
struct histogram_metric : metric<Name, Help, metric_kind::histogram, Label> {};

}  // namespace nen
