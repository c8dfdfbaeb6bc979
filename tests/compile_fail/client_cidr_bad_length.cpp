// expect: nen::cidrs: a prefix has 0 to 32 bits, of IPv6 0 to 128, of IPv4 in IPv6 96 to 128
#include <nen/core/cidr.hpp>

constexpr auto inner = nen::cidrs<"10.0.0.0/33">;
constexpr nen::cidr_list list = inner;
