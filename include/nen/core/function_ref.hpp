// core, L0: a callable passed down a call: one instantiation of the callee for all of them.
#pragma once

#include <type_traits>

namespace nen {

template <class Signature>
class function_ref;

/// Refers to a callable that outlives the call it is passed to; two pointers, never null.
template <class Result, class... Arguments>
class function_ref<Result(Arguments...)> {
 public:
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, function_ref>) constexpr function_ref(
      F&& f) noexcept
      : callable_(const_cast<void*>(static_cast<const void*>(&f))),
        call_([](void* callable, Arguments... arguments) -> Result {
          return (*static_cast<std::remove_reference_t<F>*>(callable))(arguments...);
        }) {}

  Result operator()(Arguments... arguments) const { return call_(callable_, arguments...); }

 private:
  void* callable_;
  Result (*call_)(void*, Arguments...);
};

}  // namespace nen
