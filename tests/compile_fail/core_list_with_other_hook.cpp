// expect: an element of nen::intrusive_list<T, Tag> derives from nen::list_hook<Tag>
#include <nen/core/intrusive_list.hpp>

struct one;
struct other;
struct element : nen::list_hook<one> {};

element* first(nen::intrusive_list<element, other>& list) { return list.front(); }
