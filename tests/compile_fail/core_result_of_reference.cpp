// expect: nen::result<T> holds an object or void, not a reference
#include <nen/core/result.hpp>

nen::result<int&> number();
bool failed() { return !number(); }
