// expect: what a nen::task gives is moved to whoever awaits it, so it needs a move constructor
#include <nen/io/task.hpp>

struct stays {
  stays() = default;
  stays(stays&&) = delete;
};
nen::task<stays> make();
nen::task<void> use() {
  auto t = make();
  co_await static_cast<nen::task<stays>&&>(t);
}
