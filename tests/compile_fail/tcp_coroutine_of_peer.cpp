// expect: nen::tcp::coroutine is made of nen::task<> serve(nen::context& ctx
#include <nen/nen.hpp>

nen::task<> serve(nen::tcp::peer) { co_return; }

nen::tcp::server<nen::tcp::coroutine<serve>> server;
