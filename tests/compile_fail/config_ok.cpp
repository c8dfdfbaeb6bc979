// The least and the most of what the other config_*.cpp files have too little or too much of.
#include <nen/nen.hpp>

nen::reply hello(nen::response& res) { return res.text("hello"); }

using routes = nen::router<nen::get<"/", hello>>;
nen::server<routes, nen::config{.shards = 1,
                                .connections = 1,
                                .receive_buffers = 1,
                                .receive_buffer_bytes = 1,
                                .send_slots = 5,
                                .send_slot_bytes = 1024,
                                .response_bytes_max = 256,
                                .head_slots = 1,
                                .head_bytes_max = 64,
                                .fields_max = 1,
                                .target_bytes_max = 1,
                                .streams = 1,
                                .body_slots = 1,
                                .body_bytes_max = 1}>
    least;
nen::server<routes, nen::config{.shards = 1024,
                                .connections = 1'000'000,
                                .receive_buffers = 32768,
                                .head_bytes_max = 65535,
                                .fields_max = 65535,
                                .target_bytes_max = 65535}>
    most;
