// The right way to write what the other task_*.cpp files write wrong.
#include <nen/io/when.hpp>

#include <chrono>

int number;
nen::task<int*> refer() { co_return &number; }
nen::task<long> sleeps(nen::context& ctx) {
  using namespace std::chrono_literals;
  co_await ctx.sleep(50ms);
  const auto first = co_await nen::when_any(refer(), refer());
  const auto limited = co_await nen::with_deadline(ctx, 1s, refer());
  co_return limited ? **limited : static_cast<long>(first.index);
}
