// frame_pool: which class serves, order of reuse, exhaustion, misuse, the division by
// multiplication, and a random walk against a set.
#include <nen/core/frame_pool.hpp>

#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <random>
#include <type_traits>
#include <vector>

#include "support/catch.hpp"
#include "support/death.hpp"

using nen::frame_class;
using nen::test::dies;

namespace {

constexpr std::array<frame_class, 3> small = {{{64, 2}, {128, 3}, {512, 1}}};

/// Static, because a pool is zero at first; each test has its own by its tag.
template <int Tag, auto Classes = small>
nen::frame_pool<Classes>& pool_of() {
  static nen::frame_pool<Classes> pool;
  return pool;
}

bool all_zero(const void* from, std::size_t size) {
  const auto* const bytes = static_cast<const unsigned char*>(from);
  for (std::size_t i = 0; i < size; ++i) {
    if (bytes[i] != 0) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("a frame pool's initial state is all zero and its constructor does nothing", "[frames]") {
  using pool = nen::frame_pool<small>;
  STATIC_REQUIRE(std::is_trivially_default_constructible_v<pool>);
  STATIC_REQUIRE(std::is_trivially_destructible_v<pool>);
  STATIC_REQUIRE(pool::slot_bytes() == 64 * 2 + 128 * 3 + 512);
  STATIC_REQUIRE(pool::bookkeeping_bytes() + pool::slot_bytes() == sizeof(pool));
  static pool in_bss;
  CHECK(all_zero(&in_bss, sizeof(in_bss)));
  CHECK(in_bss.size() == 3);
  CHECK(in_bss.in_use() == 0);
  CHECK(in_bss.refused().too_large == 0);
  CHECK(in_bss.refused().none_free == 0);
}

TEST_CASE("the narrowest class that is wide enough serves", "[frames]") {
  auto& p = pool_of<1>();
  const std::pair<std::size_t, std::uint32_t> cases[] = {{0, 0},   {1, 0},   {64, 0},  {65, 1},
                                                         {128, 1}, {129, 2}, {511, 2}, {512, 2}};
  for (const auto& [bytes, which] : cases) {
    CAPTURE(bytes);
    void* const frame = p.acquire(bytes);
    REQUIRE(frame != nullptr);
    CHECK(reinterpret_cast<std::uintptr_t>(frame) % 16 == 0);
    CHECK(p.in_use(which) == 1);
    CHECK(p.in_use() == 1);
    std::memset(frame, 0xFF, bytes);  // Neither links nor neighbours lie in it.
    p.release(frame);
    CHECK(p.in_use() == 0);
  }
  CHECK(p.acquire(513) == nullptr);
  CHECK(p.acquire(SIZE_MAX) == nullptr);
  CHECK(p.refused().too_large == 2);
  CHECK(p.refused().none_free == 0);
}

TEST_CASE("a wider class serves when the right one is empty, until none is left", "[frames]") {
  auto& p = pool_of<2>();
  std::vector<void*> held;
  const std::uint32_t expected[][3] = {{1, 0, 0}, {2, 0, 0}, {2, 1, 0},
                                       {2, 2, 0}, {2, 3, 0}, {2, 3, 1}};
  for (const auto& in_use : expected) {
    held.push_back(p.acquire(10));
    REQUIRE(held.back() != nullptr);
    for (std::uint32_t which = 0; which < 3; ++which) CHECK(p.in_use(which) == in_use[which]);
  }
  CHECK(p.acquire(10) == nullptr);
  CHECK(p.refused().none_free == 1);
  CHECK(p.refused().too_large == 0);
  for (void* const frame : held) p.release(frame);
  CHECK(p.in_use() == 0);
  CHECK(p.high_water(0) == 2);
  CHECK(p.high_water(1) == 3);
  CHECK(p.high_water(2) == 1);
  // A narrower class never serves a wide frame.
  void* const wide = p.acquire(500);
  CHECK(wide != nullptr);
  CHECK(p.acquire(500) == nullptr);
  CHECK(p.refused().none_free == 2);
  p.release(wide);
}

TEST_CASE("a frame slot that was freed last is the next one", "[frames]") {
  auto& p = pool_of<3>();
  void* const a = p.acquire(100);
  void* const b = p.acquire(100);
  p.release(a);
  p.release(b);
  CHECK(p.acquire(100) == b);
  CHECK(p.acquire(100) == a);
  CHECK(p.high_water(1) == 2);
  CHECK(p.acquire(100) != nullptr);
  CHECK(p.high_water(1) == 3);
}

TEST_CASE("frame slots given back wrongly stop the process", "[frames]") {
  auto& p = pool_of<4>();
  auto& other = pool_of<5>();
  void* const frame = p.acquire(100);
  void* const foreign = other.acquire(100);
  const auto shifted = [&](std::ptrdiff_t by) { return static_cast<std::byte*>(frame) + by; };
  struct mistake {
    const char* name;
    void* what;
  };
  const mistake mistakes[] = {{"of another pool", foreign},
                              {"nullptr", nullptr},
                              {"inside of a slot", shifted(16)},
                              {"not aligned", shifted(1)},
                              {"never handed out", shifted(128)},
                              {"before the first", shifted(-64 * 2 - 16)},
                              {"behind the last", shifted(128 * 3 + 512)}};
  for (const mistake& m : mistakes) {
    CAPTURE(m.name);
    const auto death = dies([&] { p.release(m.what); });
    CHECK(death.aborted);
    CHECK_THAT(death.output, nen::test::ContainsSubstring("assertion failed"));
  }
  CHECK(dies([&] {
          p.release(frame);
          p.release(frame);
        }).aborted);
  CHECK(dies([&] { static_cast<void>(p.in_use(3)); }).aborted);
  CHECK(dies([&] { static_cast<void>(p.high_water(3)); }).aborted);
  static nen::frame_pool<small> unused;
  CHECK(dies([&] { unused.release(&unused); }).aborted);
  p.release(frame);
  other.release(foreign);
}

TEST_CASE("the multiplication that finds a slot is exact for all of 4 GiB", "[frames]") {
  std::mt19937 random(1);
  constexpr std::uint32_t units_end = 1U << 28;
  std::uint64_t wrong = 0;
  const auto check = [&](std::uint32_t width) {
    nen::detail::frame_class_layout layout{};
    nen::detail::divide_by(layout, width);
    const auto check_at = [&](std::uint32_t unit) {
      const std::uint64_t slot = (std::uint64_t{unit} * layout.multiplier) >> layout.shift;
      wrong += slot != unit / width;
    };
    // Where an inexact one goes wrong first: around the greatest multiples.
    const std::uint32_t last = (units_end - 1) / width * width;
    for (std::uint32_t k = 0; k < 8 && last >= k * width; ++k) {
      const std::uint32_t multiple = last - k * width;
      check_at(multiple);
      if (multiple > 0) check_at(multiple - 1);
    }
    check_at(units_end - 1);
    for (int i = 0; i < 8; ++i) check_at(random() % units_end);
  };
  for (std::uint32_t width = 1; width < 20'000; ++width) check(width);
  for (int i = 0; i < 20'000; ++i)
    check(static_cast<std::uint32_t>(1 + random() % (units_end - 1)));
  for (std::uint32_t bit = 0; bit < 28; ++bit) {
    check(1U << bit);
    check((1U << bit) + (bit > 0 ? 1 : 0));
    check((1U << bit) - (bit > 0 ? 1 : 0));
  }
  CHECK(wrong == 0);
}

TEST_CASE("frames in random order never overlap and all come back", "[frames]") {
  static constexpr std::array<frame_class, 5> odd = {
      {{16, 7}, {48, 31}, {112, 13}, {1008, 5}, {4112, 3}}};
  auto& p = pool_of<6, odd>();
  std::mt19937 random(2);
  struct held_frame {
    std::size_t size;
    unsigned char fill;
  };
  std::map<unsigned char*, held_frame> held;
  std::uint32_t refused = 0;
  for (int step = 0; step < 50'000; ++step) {
    if (random() % 100 < 65) {
      const std::size_t size = std::size_t{1} << (random() % 13);
      auto* const frame = static_cast<unsigned char*>(p.acquire(size));
      if (frame == nullptr) {
        ++refused;
        continue;
      }
      const auto fill = static_cast<unsigned char>(random());
      std::memset(frame, fill, size);
      REQUIRE(held.emplace(frame, held_frame{size, fill}).second);
    } else if (!held.empty()) {
      const auto it = std::next(held.begin(), static_cast<int>(random() % held.size()));
      const auto [size, fill] = it->second;
      bool intact = true;
      for (std::size_t i = 0; i < size; ++i) intact = intact && it->first[i] == fill;
      REQUIRE(intact);
      p.release(it->first);
      held.erase(it);
    }
    REQUIRE(p.in_use() == held.size());
  }
  CHECK(refused > 0);
  CHECK(p.refused().none_free == refused);
  for (const auto& [frame, what] : held) p.release(frame);
  for (std::uint32_t which = 0; which < p.size(); ++which) {
    CHECK(p.in_use(which) == 0);
    CHECK(p.high_water(which) == odd[which].count);
  }
}

TEST_CASE("the pool of this thread is the one of the innermost scope", "[frames]") {
  auto& outer = pool_of<7>();
  auto& inner = pool_of<8>();
  CHECK(nen::detail::current_frames() == nullptr);
  {
    const nen::detail::frames_in_use one(outer);
    CHECK(nen::detail::current_frames() == &outer);
    {
      const nen::detail::frames_in_use two(inner);
      CHECK(nen::detail::current_frames() == &inner);
      // Named, a pool serves without knowledge of its type.
      void* const frame = nen::detail::current_frames()->acquire(20);
      CHECK(inner.in_use(0) == 1);
      nen::detail::current_frames()->release(frame);
    }
    CHECK(nen::detail::current_frames() == &outer);
  }
  CHECK(nen::detail::current_frames() == nullptr);
}

#if defined(NEN_DETAIL_ADDRESS_SANITIZER)
TEST_CASE("the address sanitizer knows which frames nobody may touch", "[frames]") {
  auto& p = pool_of<9>();
  void* frame = nullptr;
  {
    const nen::detail::frames_in_use scope(p);
    frame = p.acquire(100);
    CHECK(__asan_region_is_poisoned(frame, 128) == nullptr);
    p.release(frame);
    CHECK(__asan_region_is_poisoned(frame, 128) == frame);
    CHECK(p.acquire(100) == frame);
    CHECK(__asan_region_is_poisoned(frame, 128) == nullptr);
    p.release(frame);
  }
  CHECK(__asan_region_is_poisoned(frame, 128) == nullptr);
}
#endif
