// expect: nen::cidrs: the address has bits behind its prefix; write 10.0.0.0/8, not 10.0.0.1/8
#include <nen/core/cidr.hpp>

constexpr auto inner = nen::cidrs<"10.0.0.1/8">;
constexpr nen::cidr_list list = inner;
