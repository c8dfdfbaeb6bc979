// The command line of the examples and of the benchmark target: --name value or --name=value, with
// a sentence for whatever is wrong. Not a part of the library.
#pragma once

#include <nen/core/ascii.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <string_view>

namespace example {

/// One option and the variable that it sets; the variable's first value is the default.
struct argument {
  std::string_view name;
  std::string_view meaning;
  std::string_view* text = nullptr;
  std::uint16_t* number = nullptr;

  argument(std::string_view n, std::string_view m, std::string_view& into)
      : name(n), meaning(m), text(&into) {}
  argument(std::string_view n, std::string_view m, std::uint16_t& into)
      : name(n), meaning(m), number(&into) {}

  bool set(std::string_view value) const {
    if (text != nullptr) {
      *text = value;
      return true;
    }
    const auto parsed = nen::parse_decimal<std::uint16_t>(value);
    if (parsed) *number = *parsed;
    return parsed.has_value();
  }
};

[[noreturn]] inline void explain(const char* program, std::initializer_list<argument> known,
                                 std::FILE* to, int exit_code) {
  std::fprintf(to, "usage: %s [--name value]...\n", program);
  for (const argument& a : known) {
    std::fprintf(to, "  %-10.*s %.*s\n", static_cast<int>(a.name.size()), a.name.data(),
                 static_cast<int>(a.meaning.size()), a.meaning.data());
  }
  std::exit(exit_code);
}

/// Sets the variables of the options that are given; ends the program with 2 when one is wrong.
inline void read_arguments(int argc, char** argv, std::initializer_list<argument> known) {
  for (int i = 1; i < argc; ++i) {
    std::string_view name = argv[i];
    if (name == "--help") explain(argv[0], known, stdout, 0);
    const auto equals = name.find('=');
    const bool joined = equals != std::string_view::npos;
    const bool has_value = joined || i + 1 < argc;
    const std::string_view value = joined      ? name.substr(equals + 1)
                                   : has_value ? std::string_view(argv[i + 1])
                                               : std::string_view();
    name = name.substr(0, equals);
    const argument* found = nullptr;
    for (const argument& a : known)
      if (a.name == name) found = &a;
    if (found == nullptr || !has_value || !found->set(value)) {
      const char* const problem = found == nullptr ? "is not an option"
                                  : !has_value     ? "needs a value"
                                                   : "needs a number from 0 to 65535";
      std::fprintf(stderr, "%s: %.*s %s\n", argv[0], static_cast<int>(name.size()), name.data(),
                   problem);
      explain(argv[0], known, stderr, 2);
    }
    if (!joined) ++i;
  }
}

}  // namespace example
