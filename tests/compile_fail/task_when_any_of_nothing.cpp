// expect: nen::when_any of no task would never go on
#include <nen/io/when.hpp>

nen::task<void> waits() { co_await nen::when_any(); }
