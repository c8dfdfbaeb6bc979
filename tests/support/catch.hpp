// One include for Catch2 2.13 and Catch2 3: the test macros, generators and string matchers.
// main comes from elsewhere: Catch2::Catch2WithMain, or one file that defines CATCH_CONFIG_MAIN.
#pragma once

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_approx.hpp>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_all.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

namespace nen::test {
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;
using Catch::Matchers::Equals;
using Catch::Matchers::StartsWith;
}  // namespace nen::test
#else
#include <catch2/catch.hpp>

#include <string>

namespace nen::test {
using Catch::Matchers::EndsWith;
using Catch::Matchers::Equals;
using Catch::Matchers::StartsWith;

/// The name that Catch2 3 gives to what 2.13 calls Contains.
inline auto ContainsSubstring(const std::string& text) { return Catch::Matchers::Contains(text); }
}  // namespace nen::test
#endif
