// The right way to write what the other core_*.cpp files write wrong.
#include <nen/core/fixed_string.hpp>
#include <nen/core/intrusive_list.hpp>
#include <nen/core/pool.hpp>
#include <nen/core/result.hpp>

struct tag;
struct element : nen::list_hook<tag> {
  int number;
};

element* first(nen::intrusive_list<element, tag>& list) { return list.front(); }
nen::pool<int, 1> numbers;
nen::pool<element, 4> elements;
static_assert(nen::fixed_string("").empty());
nen::result<int*> pointer();
nen::result<void> nothing();
bool failed() { return !pointer() || !nothing(); }
