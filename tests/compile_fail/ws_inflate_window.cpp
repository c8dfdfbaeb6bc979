// expect: DEFLATE has windows of 8 to 15 bits
#include <nen/ws/deflate.hpp>

nen::ws::inflater<16> large;
