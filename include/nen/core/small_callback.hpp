// core, L0: a callable kept by value in a fixed place, so that it can wait without memory of its
// own.
#pragma once

#include <nen/core/assert.hpp>

#include <cstddef>
#include <new>
#include <type_traits>

namespace nen {

template <class Signature>
class small_callback;

/// Empty when zero. Trivially copyable, and so is what it holds.
template <class Result, class... Arguments>
class small_callback<Result(Arguments...)> {
 public:
  static constexpr std::size_t capture_bytes_max = 48;

  template <class F>
  void set(F f) noexcept {
    static_assert(std::is_trivially_copyable_v<F> && std::is_trivially_destructible_v<F>,
                  "a callback that is called later is kept as bytes: capture "
                  "numbers, pointers and "
                  "references only");
    static_assert(sizeof(F) <= capture_bytes_max && alignof(F) <= alignof(std::max_align_t),
                  "a callback that is called later captures at most 48 bytes: "
                  "capture a pointer to "
                  "the rest");
    static_assert(std::is_invocable_r_v<Result, F&, Arguments...>,
                  "a callback that is called later takes and returns what its "
                  "documentation says");
    ::new (static_cast<void*>(capture_)) F(f);
    call_ = [](void* capture, Arguments... arguments) -> Result {
      return (*std::launder(static_cast<F*>(capture)))(arguments...);
    };
  }
  void clear() noexcept { call_ = nullptr; }

  explicit operator bool() const noexcept { return call_ != nullptr; }

  /// @pre  not empty (asserted)
  Result operator()(Arguments... arguments) {
    NEN_ASSERT(call_ != nullptr);
    return call_(capture_, arguments...);
  }

 private:
  Result (*call_)(void*, Arguments...);
  alignas(std::max_align_t) unsigned char capture_[capture_bytes_max];
};

}  // namespace nen
