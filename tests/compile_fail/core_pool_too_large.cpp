// expect: a nen::pool has at most 2^31 slots
#include <nen/core/pool.hpp>

nen::pool<char, 0x8000'0001> letters;
