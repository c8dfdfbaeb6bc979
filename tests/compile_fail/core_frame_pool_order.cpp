// expect: the classes of a nen::frame_pool are written with the narrowest first, each width once
#include <nen/core/frame_pool.hpp>

constexpr std::array<nen::frame_class, 2> classes = {{{256, 4}, {128, 4}}};
nen::frame_pool<classes> frames;
