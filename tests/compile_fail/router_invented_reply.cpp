// expect: declared private here
#include <nen/http/router.hpp>

// Only a response makes a reply: nobody answers by accident.
nen::reply nobody(nen::response&) { return {}; }
