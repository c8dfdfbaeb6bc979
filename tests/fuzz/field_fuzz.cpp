// The values of single fields: dates, lists of entity tags with the preconditions they make, hosts
// and addresses. The input is such a value; its end also chooses what it is compared with.
#include "fuzz/check_dates.hpp"
#include "fuzz/check_host.hpp"
#include "fuzz/check_tags.hpp"
#include "fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nen::test::fuzz;
  if (size > input_bytes_max) return 0;
  const choices from(data, size);
  check_host(from);
  check_dates(from);
  check_tags(from);
  return 0;
}
