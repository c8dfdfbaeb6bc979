// expect: the bytes of a nen::frame_class are a multiple of 16 that is not zero
#include <nen/core/frame_pool.hpp>

constexpr std::array<nen::frame_class, 1> classes = {{{100, 4}}};
nen::frame_pool<classes> frames;
