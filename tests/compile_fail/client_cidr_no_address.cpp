// expect: nen::cidrs: this is not an IP address; write 10.0.0.0/8, 192.0.2.1 or fd00::/8
#include <nen/core/cidr.hpp>

constexpr auto inner = nen::cidrs<"10.0.0.0/8", "localhost">;
constexpr nen::cidr_list list = inner;
