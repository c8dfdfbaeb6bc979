// expect: what nen offers to co_await is awaited in a nen::task, not in another coroutine
#include <nen/io/context.hpp>

struct other {
  struct promise_type {
    other get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() {}
  };
};
other sleeps(nen::context& ctx) { co_await ctx.sleep(50); }
