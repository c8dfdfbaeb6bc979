// expect: a nen::pool<T> hands out zeroed memory: T needs a trivial default constructor and
#include <nen/core/pool.hpp>

struct owner {
  ~owner();
};

nen::pool<owner, 4> things;
