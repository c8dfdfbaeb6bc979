// expect: a nen::frame_pool needs at least one nen::frame_class
#include <nen/core/frame_pool.hpp>

constexpr std::array<nen::frame_class, 0> classes;
nen::frame_pool<classes> frames;
