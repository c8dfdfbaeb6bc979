// expect: nen::fixed_string holds a string literal, which ends in a NUL
#include <nen/core/fixed_string.hpp>

auto size = nen::fixed_string<0>::size();
