// expect: an element of nen::intrusive_list<T, Tag> derives from nen::list_hook<Tag>
#include <nen/core/intrusive_list.hpp>

struct element {};

element* first(nen::intrusive_list<element>& list) { return list.front(); }
