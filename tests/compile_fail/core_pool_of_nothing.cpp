// expect: a nen::pool needs at least one slot
#include <nen/core/pool.hpp>

nen::pool<int, 0> numbers;
