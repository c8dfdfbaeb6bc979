// Query strings, form bodies and cookies: text in pairs. The input is such a text; its end also
// chooses a cookie to be set.
#include "fuzz/check_cookies.hpp"
#include "fuzz/check_query.hpp"
#include "fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nen::test::fuzz;
  if (size > input_bytes_max) return 0;
  choices from(data, size);
  check_cookie_field(from.rest());
  check_query(from.rest(), static_cast<std::uint32_t>(size));
  check_set_cookie(from);
  return 0;
}
