// expect: a nen::task gives a value: return a pointer instead of a reference
#include <nen/io/task.hpp>

int number;
nen::task<int&> refer() { co_return number; }
