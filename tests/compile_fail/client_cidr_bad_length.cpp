// expect: nen::cidrs: behind the slash stands how many bits are the prefix: 0 to 32 for IPv4, 0 to 128 for IPv6, and 96 to 128 for IPv4 in IPv6
#include <nen/core/cidr.hpp>

constexpr auto inner = nen::cidrs<"10.0.0.0/33">;
constexpr nen::cidr_list list = inner;
