// expect: nen::ws::group_config: shards, letters and letter_bytes_max must be at least 1
#include <nen/nen.hpp>

static nen::ws::group<8, nen::ws::group_config{.letters = 0}> room;
