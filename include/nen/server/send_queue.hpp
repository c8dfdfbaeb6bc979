// server, L3: what a connection still has to send: a chain of slots from the
// shard's pool, filled through `output` and taken off as the kernel accepts it.
#pragma once

#include <nen/core/output.hpp>
#include <nen/core/pool.hpp>
#include <nen/core/smallest.hpp>
#include <nen/server/answer_marks.hpp>
#include <nen/server/connection.hpp>

#include <cstdint>
#include <span>
#include <string_view>

namespace nen {

/// `used` bytes, and behind them optionally bytes that are sent from where they
/// are.
template <std::uint32_t Bytes, std::uint32_t Marks = 0>
struct send_slot : detail::answer_marks<Marks> {
  std::uint32_t next;  // index + 1, 0: the last of its chain
  std::uint32_t used;
  const char* view;
  std::size_t view_bytes;
  char bytes[Bytes];

  std::size_t size() const noexcept { return used + view_bytes; }
  void set_view(std::string_view bytes_elsewhere) noexcept {
    view = bytes_elsewhere.data();
    view_bytes = bytes_elsewhere.size();
  }
};

/// Bytes that several connections send from the same place, or that are too
/// many to be copied.
struct send_view {
  std::uint32_t next;   // as of a send_slot
  std::uint32_t owner;  // who is told when they are sent
  const char* begin;
  std::size_t size;

  std::string_view bytes() const noexcept { return {begin, size}; }
};

/// Who lent the bytes of a view.
struct view_owner {
  void* context;
  void (*release)(void* context, std::uint32_t owner) noexcept;
};

namespace detail {

/// The pool of views; none where nothing sends them.
template <std::uint32_t Views>
struct send_views {
  pool<send_view, Views> slots;
  view_owner owner;

  static constexpr std::uint32_t none = pool<send_view, Views>::none;
  void release(std::uint32_t index) noexcept {
    owner.release(owner.context, slots[index].owner);
    slots.release(index);
  }
};
template <>
struct send_views<0> {};

}  // namespace detail

/// The pool of send slots, and the chains in it. A chain's link is 0 at its
/// end, 1 + the index of a slot, or 1 + Slots + the index of a view.
/// @tparam BodyBytes  the longest body that is copied; slots for a head and for
/// all of it are promised
///                    before a handler is called
/// @tparam Marks      how many marks of answers a slot has room for
template <std::uint32_t SlotBytes, std::uint32_t Slots, std::uint32_t BodyBytes,
          std::uint32_t Views = 0, std::uint32_t Marks = 0>
class send_queue {
 public:
  using slot = send_slot<SlotBytes, Marks>;
  static constexpr std::uint32_t slots_per_message =
      BodyBytes / SlotBytes + (BodyBytes % SlotBytes != 0) + 1;  // the head is in one
  /// A connection that holds more has to wait until its peer has read some.
  static constexpr std::uint32_t slots_held_max = 2;
  static_assert(BodyBytes >= 256, "config::response_bytes_max must be at least 256");
  static_assert(SlotBytes >= 1024, "config::send_slot_bytes must be at least 1024");
  static_assert(Slots > 2 * slots_per_message,
                "config::send_slots must hold more than two answers of "
                "config::response_bytes_max");

  /// True when one more message can be written, whatever its length: checked
  /// before a handler is called, so that no handler ever runs out of memory
  /// half way. One connection's share is bounded as well.
  bool has_room_for(const connection_base& c) const noexcept {
    return c.slots_held <= slots_held_max && has_room();
  }
  bool has_room(std::uint32_t messages = 1) const noexcept {
    return slots_.available() >= messages * slots_per_message;
  }

  /// What is to be sent when it is in one piece, which it nearly always is; nothing when it is not.
  std::string_view only_part(const connection_base& c) noexcept {
    if (c.first_slot != c.last_slot) return {};
    std::string_view part;
    if (is_view(c.first_slot)) {
      part = view_at(c.first_slot).bytes();
    } else {
      const slot& s = slots_[c.first_slot - 1];
      if (s.view_bytes == 0) part = {s.bytes, s.used};
    }
    part.remove_prefix(part.empty() ? 0 : c.first_slot_sent);
    return part;
  }

  /// Describes what is to be sent next.
  /// @returns  how many of `parts` are filled
  std::size_t gather(const connection_base& c, std::span<std::string_view> parts,
                     std::size_t bytes_max) noexcept {
    std::size_t count = 0;
    std::size_t skip = c.first_slot_sent;
    const auto add = [&](std::string_view part) {
      const auto skipped = detail::smallest(skip, part.size());
      skip -= skipped;
      part = part.substr(skipped, bytes_max);
      if (part.empty() || count == parts.size()) return;
      bytes_max -= part.size();
      parts[count++] = part;
    };
    for (auto at = c.first_slot; at != 0 && count < parts.size() && bytes_max != 0;) {
      if (is_view(at)) {
        add(view_at(at).bytes());
      } else {
        const slot& s = slots_[at - 1];
        add({s.bytes, s.used});
        add({s.view, s.view_bytes});
      }
      at = next_of(at);
    }
    return count;
  }

  /// Takes `bytes` off the front and gives back the slots that are through.
  void sent(connection_base& c, std::size_t bytes) noexcept {
    sent(c, bytes, [](const detail::answer_mark&) {});
  }
  /// The same; on_answer(mark) is called for the answers that are through.
  template <class OnAnswer>
  void sent(connection_base& c, std::size_t bytes, OnAnswer on_answer) noexcept {
    bytes += c.first_slot_sent;
    while (c.first_slot != 0 && bytes >= size_of(c.first_slot)) {
      bytes -= size_of(c.first_slot);
      take_marks(c.first_slot, ~std::size_t{0}, on_answer);
      drop_first(c);
    }
    NEN_ASSERT(c.first_slot != 0 || bytes == 0);
    c.first_slot_sent = static_cast<std::uint32_t>(bytes);
    if (bytes != 0) take_marks(c.first_slot, bytes, on_answer);
  }

  void drop_all(connection_base& c) noexcept {
    while (c.first_slot != 0) drop_first(c);
    c.first_slot_sent = 0;
  }

  /// Bytes that wait to be sent, or to be taken by the kernel.
  std::size_t buffered(const connection_base& c) noexcept {
    std::size_t sum = 0;
    for (auto at = c.first_slot; at != 0; at = next_of(at)) sum += size_of(at);
    return sum - c.first_slot_sent;
  }

  const auto& slots() const noexcept { return slots_; }
  /// Slots and views in all chains.
  std::uint32_t in_use() const noexcept {
    if constexpr (Views != 0) return slots_.in_use() + views_.slots.in_use();
    return slots_.in_use();
  }
  const auto& views() const noexcept requires(Views > 0) { return views_.slots; }
  void set_view_owner(const view_owner& owner) noexcept requires(Views > 0) {
    views_.owner = owner;
  }

  /// Writes messages to the end of one connection's chain; lives on the stack
  /// while it is written to.
  class writer final : public output {
   public:
    writer(send_queue& queue, connection_base& c) noexcept
        : output(functions), queue_(queue), connection_(c) {
      if (c.last_slot != 0 && !is_view(c.last_slot)) resume(queue.slots_[c.last_slot - 1]);
    }
    ~writer() { close_block(); }

    /// Lets what is written so far count as buffered.
    void flush() noexcept { close_block(); }

    /// Sends `bytes` behind all that is written so far, from where they are;
    /// the owner of views is told when they are through.
    /// @returns  false when every view is taken
    bool append_view(std::string_view bytes, std::uint32_t owner) noexcept requires(Views > 0) {
      NEN_ASSERT(!bytes.empty());
      const auto index = queue_.views_.slots.try_acquire();
      if (index == detail::send_views<Views>::none) return false;
      queue_.views_.slots[index] = {0, owner, bytes.data(), bytes.size()};
      close_block();
      link(Slots + 1 + index);
      cursor_ = limit_ = nullptr;  // behind a view a new slot begins
      return true;
    }

    /// Marks the end of an answer, just behind what is written.
    /// @returns  false when its slot has no place for another mark
    bool mark_answer(std::uint32_t route, std::uint64_t began_ns) noexcept requires(Marks > 0) {
      const auto last = connection_.last_slot;
      if (last == 0 || is_view(last)) return false;
      slot& s = queue_.slots_[last - 1];
      const auto end = static_cast<std::size_t>(cursor_ - s.bytes) + s.view_bytes;
      return s.add(route, began_ns, static_cast<std::uint32_t>(end));
    }

    /// Shows what was written of the message: show(bytes, bytes attached behind them) for each
    /// block that it has a part in.
    template <class F>
    void read_message(F show) const {
      const connection_base& c = connection_;
      for (auto at = mark_slot_ != 0 ? mark_slot_ : c.first_slot; at != 0;
           at = queue_.next_of(at)) {
        if (is_view(at)) continue;  // of the message before
        const slot& s = queue_.slots_[at - 1];
        const bool begins_here = at == mark_slot_;
        const char* const begin = begins_here ? mark_cursor_ : s.bytes;
        const char* const end = at == c.last_slot ? cursor_ : s.bytes + s.used;
        const bool is_others = begins_here && mark_limit_ == mark_cursor_;
        show(std::string_view(begin, static_cast<std::size_t>(end - begin)),
             is_others ? std::string_view() : std::string_view(s.view, s.view_bytes));
      }
    }

   private:
    static writer& self(output& o) noexcept { return static_cast<writer&>(o); }

    void resume(slot& s) noexcept {
      cursor_ = s.bytes + s.used;
      limit_ =
          s.view_bytes == 0 ? s.bytes + SlotBytes : cursor_;  // behind a view a new slot begins
    }

    /// Stores how far the last slot is filled.
    void close_block() noexcept {
      if (connection_.last_slot == 0 || is_view(connection_.last_slot)) return;
      slot& s = queue_.slots_[connection_.last_slot - 1];
      s.used = static_cast<std::uint32_t>(cursor_ - s.bytes);
      NEN_ASSERT(s.size() != 0);  // a block is opened only for bytes that don't fit the one before
    }

    static void mark(output& o) noexcept {
      writer& w = self(o);
      w.mark_slot_ = w.connection_.last_slot;
      w.mark_cursor_ = w.cursor_;
      w.mark_limit_ = w.limit_;
      w.blocks_ = 0;
    }

    static void rewind(output& o) noexcept {
      writer& w = self(o);
      w.queue_.drop_behind(w.connection_, w.mark_slot_);
      w.cursor_ = w.mark_cursor_;
      w.limit_ = w.mark_limit_;
      if (w.mark_slot_ != 0 && !is_view(w.mark_slot_) && w.limit_ != w.cursor_)
        w.queue_.slots_[w.mark_slot_ - 1].set_view({});
      w.blocks_ = 0;
    }

    static bool next_block(output& o) noexcept {
      writer& w = self(o);
      if (w.blocks_ == slots_per_message) return false;
      const auto index = w.queue_.slots_.try_acquire();
      NEN_ASSERT(index != decltype(w.queue_.slots_)::none);  // has_room promised it
      ++w.blocks_;
      slot& s = w.queue_.slots_[index];
      s.next = 0;
      s.used = 0;
      s.clear();
      s.set_view({});
      w.close_block();
      w.link(index + 1);
      w.resume(s);
      return true;
    }

    /// Puts a slot or a view at the end of the chain.
    void link(std::uint32_t which) noexcept {
      connection_base& c = connection_;
      (c.last_slot == 0 ? c.first_slot : queue_.next_of(c.last_slot)) = which;
      c.last_slot = which;
      ++c.slots_held;
    }

    static void attach(output& o, std::string_view bytes) noexcept {
      writer& w = self(o);
      NEN_ASSERT(w.connection_.last_slot != 0);  // a view goes behind a head
      w.queue_.slots_[w.connection_.last_slot - 1].set_view(bytes);
      w.limit_ = w.cursor_;
    }

    static constexpr block_owner functions = {mark,   rewind,    next_block,
                                              attach, SlotBytes, BodyBytes};

    send_queue& queue_;
    connection_base& connection_;
    std::uint32_t mark_slot_ = 0;
    char* mark_cursor_ = nullptr;
    char* mark_limit_ = nullptr;
    std::uint32_t blocks_ = 0;  // opened for the message
  };

 private:
  static constexpr bool is_view(std::uint32_t link) noexcept { return Views != 0 && link > Slots; }
  send_view& view_at(std::uint32_t link) noexcept {
    if constexpr (Views != 0) return views_.slots[link - 1 - Slots];
    __builtin_unreachable();  // no link is a view's
  }
  std::uint32_t& next_of(std::uint32_t link) noexcept {
    return is_view(link) ? view_at(link).next : slots_[link - 1].next;
  }
  std::size_t size_of(std::uint32_t link) noexcept {
    return is_view(link) ? view_at(link).size : slots_[link - 1].size();
  }
  void release(std::uint32_t link) noexcept {
    if constexpr (Views != 0)
      if (is_view(link)) return views_.release(link - 1 - Slots);
    slots_.release(link - 1);
  }

  template <class OnAnswer>
  void take_marks([[maybe_unused]] std::uint32_t link, [[maybe_unused]] std::size_t position,
                  [[maybe_unused]] OnAnswer& on_answer) noexcept {
    if constexpr (Marks != 0)
      if (!is_view(link)) slots_[link - 1].take_until(position, on_answer);
  }

  void drop_first(connection_base& c) noexcept {
    const auto first = c.first_slot;
    c.first_slot = next_of(first);
    if (c.first_slot == 0) c.last_slot = 0;
    --c.slots_held;
    release(first);
  }

  /// Gives back every slot behind `keep` (index + 1; 0: all of them).
  void drop_behind(connection_base& c, std::uint32_t keep) noexcept {
    auto at = keep == 0 ? c.first_slot : next_of(keep);
    while (at != 0) {
      const auto next = next_of(at);
      release(at);
      --c.slots_held;
      at = next;
    }
    (keep == 0 ? c.first_slot : next_of(keep)) = 0;
    c.last_slot = keep;
  }

  pool<slot, Slots> slots_;
  [[no_unique_address]] detail::send_views<Views> views_;
};

}  // namespace nen
