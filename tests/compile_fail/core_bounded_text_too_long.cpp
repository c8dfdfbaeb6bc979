// expect: this text is longer than its option has room for
#include <nen/core/bounded_text.hpp>

constexpr nen::bounded_text<4> text = "12345";
