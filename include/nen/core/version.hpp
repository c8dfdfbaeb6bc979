// core, L0: which nen this is; CMakeLists.txt says the same.
#pragma once

#include <string_view>

namespace nen {

inline constexpr std::string_view library_version = "0.1.0";

}  // namespace nen
