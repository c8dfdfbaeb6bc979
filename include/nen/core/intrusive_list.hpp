// A doubly linked list whose links live in its elements: no memory of its own, O(1) removal.
// core, L0
#pragma once

#include <concepts>
#include <type_traits>

#include <nen/core/assert.hpp>

namespace nen {

/// The base class of what can be in a list. All zero is "in no list". An element that can be in
/// several lists at once derives from several hooks with different tags.
template <class Tag = void>
struct list_hook {
  list_hook* previous;
  list_hook* next;

  [[nodiscard]] constexpr bool linked() const noexcept { return next != nullptr; }
};

/// A circular list around a sentinel. All zero is an empty list, so it can live in .bss and in a
/// pool's slot: the sentinel is tied into its circle by the first push. For the same reason the
/// default constructor does nothing, and a list on the stack is written `intrusive_list<T> l{};`.
template <class T, class Tag = void>
class intrusive_list {
  using hook = list_hook<Tag>;

 public:
  intrusive_list() = default;
  intrusive_list(const intrusive_list&) = delete;
  intrusive_list& operator=(const intrusive_list&) = delete;

  [[nodiscard]] constexpr bool empty() const noexcept {
    return head_.next == nullptr || head_.next == &head_;
  }

  /// The first element, or nullptr when the list is empty.
  [[nodiscard]] constexpr T* front() noexcept { return empty() ? nullptr : owner(head_.next); }

  /// The last element, or nullptr when the list is empty.
  [[nodiscard]] constexpr T* back() noexcept { return empty() ? nullptr : owner(head_.previous); }

  /// The element after this one, or nullptr after the last.
  [[nodiscard]] constexpr T* next(T& element) noexcept {
    hook& h = element;
    NEN_ASSERT(h.linked());
    return h.next == &head_ ? nullptr : owner(h.next);
  }

  /// @pre  the element is in no list with this tag (asserted)
  constexpr void push_front(T& element) noexcept {
    make_circle();
    insert_after(head_, element);
  }

  /// @pre  the element is in no list with this tag (asserted)
  constexpr void push_back(T& element) noexcept {
    make_circle();
    insert_after(*head_.previous, element);
  }

  /// Takes the first element out.
  /// @returns  it, or nullptr when the list is empty
  constexpr T* pop_front() noexcept {
    T* const first = front();
    if (first != nullptr) {
      remove(*first);
    }
    return first;
  }

  /// Takes an element out of whatever list it is in; nobody needs to know which.
  /// @pre  it is in a list (asserted)
  [[gnu::noinline]] static constexpr void remove(T& element) noexcept {
    hook& h = element;
    NEN_ASSERT(h.linked());
    NEN_ASSERT(h.previous->next == &h && h.next->previous == &h);
    h.previous->next = h.next;
    h.next->previous = h.previous;
    h.previous = nullptr;
    h.next = nullptr;
  }

  /// Moves everything from another list to the end of this one, in order, in O(1).
  constexpr void take_all(intrusive_list& other) noexcept {
    NEN_ASSERT(&other != this);
    if (other.empty()) {
      return;
    }
    make_circle();
    hook* const first = other.head_.next;
    hook* const last = other.head_.previous;
    first->previous = head_.previous;
    head_.previous->next = first;
    last->next = &head_;
    head_.previous = last;
    other.head_.previous = nullptr;
    other.head_.next = nullptr;
  }

 private:
  static constexpr T* owner(hook* h) noexcept {
    static_assert(std::is_base_of_v<hook, T>,
                  "an element of nen::intrusive_list<T, Tag> derives from nen::list_hook<Tag>");
    return static_cast<T*>(h);
  }

  constexpr void make_circle() noexcept {
    if (head_.next == nullptr) {
      head_.next = &head_;
      head_.previous = &head_;
    }
  }

  static constexpr void insert_after(hook& where, hook& element) noexcept {
    NEN_ASSERT(!element.linked());
    element.previous = &where;
    element.next = where.next;
    where.next->previous = &element;
    where.next = &element;
  }

  hook head_;
};

}  // namespace nen
