// expect: what a nen::task gives lies in its frame, which is aligned to 16 bytes and no more
#include <nen/io/task.hpp>

struct alignas(64) line {
  char bytes[64];
};
nen::task<line> make() { co_return line{}; }
