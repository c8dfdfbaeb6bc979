// expect: nen::result<error> is ambiguous
#include <nen/core/result.hpp>

nen::result<nen::error> which();
bool failed() { return !which(); }
