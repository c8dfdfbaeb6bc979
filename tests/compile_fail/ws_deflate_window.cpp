// expect: zlib compresses with 9 to 15 bits
#include <nen/ws/deflate.hpp>

nen::ws::deflater<8> small;
