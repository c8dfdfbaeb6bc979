// expect: the slots of a nen::frame_pool fit into 4 GiB
#include <nen/core/frame_pool.hpp>

constexpr std::array<nen::frame_class, 1> classes = {{{4096, 1'048'577}}};
nen::frame_pool<classes> frames;
