// metrics, L1: in which of its two texts a scraper wants the metrics: chosen by what it accepts.
#pragma once

#include <nen/core/ascii.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nen {

/// The texts that metrics are written in.
enum class metrics_format : std::uint8_t {
  prometheus,   ///< Prometheus' text format 0.0.4
  openmetrics,  ///< OpenMetrics 1.0
};

constexpr std::string_view content_type(metrics_format format) noexcept {
  switch (format) {
    case metrics_format::prometheus:
      return "text/plain; version=0.0.4; charset=utf-8";
    case metrics_format::openmetrics:
      return "application/openmetrics-text; version=1.0.0; charset=utf-8";
  }
  return {};  // only a value that was cast into the enum comes here
}

namespace detail {

/// A weight in thousandths: RFC 9110 §12.4.2. What is none counts as 0, so that it is not chosen.
constexpr std::uint32_t quality_of(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return 0;
  std::uint32_t value = text[0] == '1' ? 1000 : 0;
  if (text.size() == 1) return value;
  if (text[1] != '.') return 0;
  std::uint32_t place = 100;
  for (const char c : text.substr(2)) {
    if (!is_digit(c)) return 0;
    value += static_cast<std::uint32_t>(c - '0') * place;
    place /= 10;
  }
  return value <= 1000 ? value : 0;
}

/// Takes what stands before the next `separator` that is not in a quoted string, RFC 9110 §5.6.4.
constexpr std::string_view take_before(std::string_view& text, char separator) noexcept {
  bool quoted = false;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && text[i] == separator) {
      break;
    }
  }
  const std::size_t end = i < text.size() ? i : text.size();
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(end < text.size() ? end + 1 : end);
  return taken;
}

}  // namespace detail

/// Reads every Accept line of a request (RFC 9110 §12.5.1), then knows the format.
/// @code  metrics_format_choice choice; choice.add("text/plain;q=0.5"); choice.format();  @endcode
class metrics_format_choice {
 public:
  constexpr void add(std::string_view accept) noexcept {
    while (!accept.empty()) add_range(detail::take_before(accept, ','));
  }

  /// OpenMetrics where it was asked for by name and the other one is not wanted more; otherwise,
  /// also when neither would be accepted, the text that every scraper reads.
  constexpr metrics_format format() const noexcept {
    const bool open = openmetrics_ != 0 && openmetrics_ >= text_.quality;
    return open ? metrics_format::openmetrics : metrics_format::prometheus;
  }

 private:
  /// The most specific range that fits is the one that counts.
  struct best {
    std::uint32_t precision = 0;
    std::uint32_t quality = 0;
  };

  constexpr void add_range(std::string_view range) noexcept {
    const std::string_view type = trim_ows(detail::take_before(range, ';'));
    std::uint32_t quality = 1000;
    std::string_view version;
    while (!range.empty()) {
      std::string_view parameter = trim_ows(detail::take_before(range, ';'));
      const std::string_view name = detail::take_before(parameter, '=');
      if (parameter.size() > 1 && parameter.front() == '"') {
        parameter = parameter.substr(1, parameter.size() - 2);
      }
      if (equals_ignoring_case(name, "q")) quality = detail::quality_of(parameter);
      if (equals_ignoring_case(name, "version")) version = parameter;
    }
    take(type, version, quality);
  }

  constexpr void take(std::string_view type, std::string_view version,
                      std::uint32_t quality) noexcept {
    if (equals_ignoring_case(type, "application/openmetrics-text")) {
      if ((version.empty() || version == "1.0.0") && quality > openmetrics_) openmetrics_ = quality;
    } else if (equals_ignoring_case(type, "text/plain")) {
      if (version.empty() || version == "0.0.4") take_text(version.empty() ? 3 : 4, quality);
    } else if (equals_ignoring_case(type, "text/*")) {
      take_text(2, quality);
    } else if (type == "*/*") {
      take_text(1, quality);
    }
  }

  constexpr void take_text(std::uint32_t precision, std::uint32_t quality) noexcept {
    if (precision < text_.precision) return;
    if (precision == text_.precision && quality <= text_.quality) return;
    text_ = {precision, quality};
  }

  std::uint32_t openmetrics_ = 0;
  best text_;
};

}  // namespace nen
