// The right way to write what the other core_frame_pool_*.cpp files write wrong.
#include <nen/core/frame_pool.hpp>

constexpr std::array<nen::frame_class, 2> classes = {{{128, 64}, {512, 16}}};
nen::frame_pool<classes> frames;
static_assert(sizeof(frames) <= 20'000);
