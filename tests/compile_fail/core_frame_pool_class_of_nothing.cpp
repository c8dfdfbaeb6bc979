// expect: the count of a nen::frame_class is not zero: leave the class out instead
#include <nen/core/frame_pool.hpp>

constexpr std::array<nen::frame_class, 1> classes = {{{128, 0}}};
nen::frame_pool<classes> frames;
