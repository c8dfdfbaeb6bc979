// expect: a nen::pool<T> hands out zeroed memory: T needs a trivial default constructor and
#include <nen/core/pool.hpp>

struct made {
  int number = 7;
};

nen::pool<made, 4> things;
