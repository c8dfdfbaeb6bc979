// Entity tags and conditional requests: RFC 9110 §8.8.3 and §13. http, L1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nen/http/date.hpp>
#include <nen/http/date_parse.hpp>
#include <nen/http/method.hpp>
#include <nen/http/request.hpp>
#include <nen/http/response.hpp>
#include <nen/http/status.hpp>
#include <optional>
#include <string_view>

namespace nen {

/// A version of a representation, RFC 9110 §8.8.3: a view of text like `"v1"` or `W/"v1"`.
class entity_tag {
 public:
  /// @param text  with its quotes
  /// @returns     nothing unless the whole text is one entity tag
  [[nodiscard]] static constexpr std::optional<entity_tag> parse(std::string_view text) noexcept {
    const std::optional<entity_tag> tag = take(text);
    return tag && text.empty() ? tag : std::nullopt;
  }

  /// Takes a tag off the front of a text that goes on, such as a list.
  /// @returns  nothing, and the text is unchanged, when there is none
  [[nodiscard]] static constexpr std::optional<entity_tag> take(std::string_view& text) noexcept {
    std::size_t end = text.substr(0, 2) == "W/" ? 2 : 0;
    if (end == text.size() || text[end] != '"') return std::nullopt;
    do {
      if (++end == text.size()) return std::nullopt;
    } while (is_etagc(text[end]));
    if (text[end] != '"') return std::nullopt;
    const entity_tag tag(text.substr(0, end + 1));
    text.remove_prefix(end + 1);
    return tag;
  }

  /// As it stands in a field.
  constexpr std::string_view text() const noexcept { return text_; }
  constexpr bool is_weak() const noexcept { return text_.front() == 'W'; }
  /// With its quotes, without "W/".
  constexpr std::string_view opaque() const noexcept { return text_.substr(is_weak() ? 2 : 0); }

 private:
  explicit constexpr entity_tag(std::string_view text) noexcept : text_(text) {}

  /// etagc: visible ASCII without '"', and obs-text.
  static constexpr bool is_etagc(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != '"' && byte != 0x7f;
  }

  std::string_view text_;  // never empty
};

/// RFC 9110 §8.8.3.2: byte for byte the same representation.
constexpr bool strong_match(entity_tag a, entity_tag b) noexcept {
  return !a.is_weak() && !b.is_weak() && a.opaque() == b.opaque();
}
/// RFC 9110 §8.8.3.2: as good as the same.
constexpr bool weak_match(entity_tag a, entity_tag b) noexcept { return a.opaque() == b.opaque(); }

/// A strong tag made of a number that changes with every change: a revision, or a hash.
class revision_tag {
 public:
  explicit constexpr revision_tag(std::uint64_t revision) noexcept {
    text_[0] = text_[17] = '"';
    for (std::size_t i = 16; i > 0; --i, revision >>= 4) {
      text_[i] = "0123456789abcdef"[revision & 15];
    }
  }
  /// The tag lies in this object.
  constexpr entity_tag tag() const& noexcept { return *entity_tag::parse({text_, sizeof text_}); }
  entity_tag tag() const&& = delete;  // the text would be gone before it is used

 private:
  char text_[18]{};
};

/// What is known about the representation that a request is about.
struct validators {
  std::optional<entity_tag> etag = {};
  std::optional<std::int64_t> last_modified = {};  ///< Unix seconds, years 0 to 9999 (asserted)
  bool exists = true;  ///< false: there is none yet, and what else is said here is not looked at
};

/// What a conditional request comes to.
enum class precondition : std::uint8_t {
  proceed,       ///< do what the request says
  not_modified,  ///< the client has it already: 304
  failed,        ///< the client was wrong about the state of things: 412
};

/// What a field with a list of entity tags says about a representation.
enum class tag_list : std::uint8_t {
  absent,
  matches,
  differs,
  malformed,  ///< neither "*" alone nor 1#entity-tag
};

enum class tag_comparison : std::uint8_t { weak, strong };

/// Compares the tags of all fields of this name, If-None-Match or If-Match, with the current one.
/// Empty list elements are passed over (RFC 9110 §5.6.1.2).
[[nodiscard]] constexpr tag_list compare_tags(const fields& all, std::string_view name,
                                              const validators& current,
                                              tag_comparison comparison) noexcept;

/// Judges If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since in the order of
/// RFC 9110 §13.2.2. A date that is none is ignored, as §13.1.3 and §13.1.4 demand. A list of tags
/// that is none matches nothing, to be on the safe side: GET and HEAD are then answered in full,
/// other methods and If-Match fail.
/// @pre  without conditions the answer would be a 2xx (RFC 9110 §13.2.1)
[[nodiscard]] constexpr precondition judge_preconditions(const request& req,
                                                         const validators& current) noexcept;

/// Whether a GET or HEAD is to be answered with 304 because the client has this version.
[[nodiscard]] constexpr bool not_modified(const request& req, entity_tag current) noexcept {
  return judge_preconditions(req, {.etag = current}) == precondition::not_modified;
}

/// Answers where the request's conditions decide: 304, or 412. Otherwise the handler goes on. For
/// GET and HEAD it adds the ETag and Last-Modified fields; a PUT's answer is about what comes after
/// it, so that its fields are the handler's. Fields that a 304 repeats (Cache-Control, Vary,
/// RFC 9110 §15.4.5) are to be written before.
/// @code  if (auto done = nen::answer_condition(req, res, {.etag = tag})) return *done;  @endcode
[[nodiscard]] inline std::optional<reply> answer_condition(const request& req, response& res,
                                                           const validators& current) noexcept {
  const precondition outcome = judge_preconditions(req, current);
  if (outcome == precondition::failed) return res.status(status::precondition_failed);

  const bool reads = req.method() == method::get || req.method() == method::head;
  if (reads && current.exists) {
    if (current.etag) res.field("ETag", current.etag->text());
    if (current.last_modified) {
      char date[imf_fixdate_size];
      write_imf_fixdate(date, *current.last_modified);
      res.field("Last-Modified", {date, sizeof date});
    }
  }
  if (outcome == precondition::not_modified) return res.status(status::not_modified);
  return std::nullopt;
}

namespace detail {

/// What one field line says; `wildcard` apart, because it must be the only thing there is.
struct tag_line {
  std::size_t tags = 0;
  bool wildcard = false, matches = false, malformed = false;
};

constexpr tag_line read_tag_line(std::string_view rest, const validators& current,
                                 tag_comparison comparison) noexcept {
  tag_line line;
  rest = trim_ows(rest);
  if (rest == "*") {
    line.wildcard = true;
    return line;
  }
  while (!rest.empty()) {
    if (rest.front() != ',') {
      const std::optional<entity_tag> tag = entity_tag::take(rest);
      if (!tag) {
        line.malformed = true;
        return line;
      }
      ++line.tags;
      line.matches |= current.exists && current.etag &&
                      (comparison == tag_comparison::strong ? strong_match(*tag, *current.etag)
                                                            : weak_match(*tag, *current.etag));
      rest = trim_ows(rest);
    }
    if (rest.empty()) break;
    if (rest.front() != ',') {
      line.malformed = true;
      return line;
    }
    rest = trim_ows(rest.substr(1));
  }
  return line;
}

/// The date of a field, or nothing when the field is absent, repeated or no date.
constexpr std::optional<std::int64_t> date_of(const fields& all, std::string_view name,
                                              std::int64_t last_modified) noexcept {
  // There is no clock here. A two-digit year (RFC 850) is judged from what is surely past.
  constexpr std::int64_t year_2026 = 1'767'225'600;
  const std::optional<std::string_view> text = all.find(name);
  if (!text || all.count(name) != 1) return std::nullopt;
  return parse_http_date(*text, last_modified > year_2026 ? last_modified : year_2026);
}

}  // namespace detail

constexpr tag_list compare_tags(const fields& all, std::string_view name, const validators& current,
                                tag_comparison comparison) noexcept {
  std::size_t lines = 0;
  std::size_t tags = 0;
  bool wildcard = false;
  bool matches = false;
  bool malformed = false;
  all.for_each(name, [&](std::string_view value) {
    const detail::tag_line line = detail::read_tag_line(value, current, comparison);
    ++lines;
    tags += line.tags;
    wildcard |= line.wildcard;
    matches |= line.matches;
    malformed |= line.malformed;
  });
  if (lines == 0) return tag_list::absent;
  if (malformed || (wildcard ? lines != 1 : tags == 0)) return tag_list::malformed;
  if (wildcard) matches = current.exists;
  return matches ? tag_list::matches : tag_list::differs;
}

constexpr precondition judge_preconditions(const request& req, const validators& current) noexcept {
  const nen::method m = req.method();
  // These select no representation, RFC 9110 §13.2.1.
  if (m == method::connect || m == method::options || m == method::trace) {
    return precondition::proceed;
  }
  const fields all = req.fields();
  const bool reads = m == method::get || m == method::head;
  const bool is_dated = current.exists && current.last_modified.has_value();
  const std::int64_t modified = is_dated ? *current.last_modified : 0;

  const tag_list wanted = compare_tags(all, "If-Match", current, tag_comparison::strong);
  if (wanted == tag_list::differs || wanted == tag_list::malformed) return precondition::failed;
  if (wanted == tag_list::absent && is_dated) {
    const auto since = detail::date_of(all, "If-Unmodified-Since", modified);
    if (since && modified > *since) return precondition::failed;
  }

  switch (compare_tags(all, "If-None-Match", current, tag_comparison::weak)) {
    case tag_list::matches:
      return reads ? precondition::not_modified : precondition::failed;
    case tag_list::differs:
      return precondition::proceed;
    case tag_list::malformed:
      return reads ? precondition::proceed : precondition::failed;
    case tag_list::absent:
      break;
  }
  if (reads && is_dated) {
    const auto since = detail::date_of(all, "If-Modified-Since", modified);
    if (since && modified <= *since) return precondition::not_modified;
  }
  return precondition::proceed;
}

}  // namespace nen
