// expect: zlib has memory levels from 1 to 9
#include <nen/ws/deflate.hpp>

nen::ws::deflater<15, 10> large;
