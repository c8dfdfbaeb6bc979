// intrusive_list: order, membership, removal, and a random walk against std::deque.
#include <nen/core/intrusive_list.hpp>

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

#include "support/catch.hpp"
#include "support/death.hpp"

using nen::test::dies;

namespace {

struct other_tag {};

struct item : nen::list_hook<>, nen::list_hook<other_tag> {
  int value;

  [[nodiscard]] bool in_list() const { return nen::list_hook<>::linked(); }
  [[nodiscard]] bool in_other() const { return nen::list_hook<other_tag>::linked(); }
};

using list = nen::intrusive_list<item>;
using other_list = nen::intrusive_list<item, other_tag>;

std::vector<int> values(list& l) {
  std::vector<int> out;
  for (item* i = l.front(); i != nullptr; i = l.next(*i)) {
    out.push_back(i->value);
  }
  return out;
}

std::vector<item> make_items(int count) {
  std::vector<item> items(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    items[static_cast<std::size_t>(i)].value = i;
  }
  return items;
}

}  // namespace

TEST_CASE("a zero-initialised list is empty", "[intrusive_list]") {
  STATIC_REQUIRE(std::is_trivially_default_constructible_v<list>);
  static list in_bss;
  CHECK(in_bss.empty());
  CHECK(in_bss.front() == nullptr);
  CHECK(in_bss.back() == nullptr);
  CHECK(in_bss.pop_front() == nullptr);
  CHECK(in_bss.empty());
}

TEST_CASE("elements come out in the order of their ends", "[intrusive_list]") {
  auto items = make_items(4);
  list l{};
  l.push_back(items[1]);
  l.push_back(items[2]);
  l.push_front(items[0]);
  l.push_back(items[3]);
  CHECK(values(l) == std::vector<int>{0, 1, 2, 3});
  CHECK(l.front() == &items[0]);
  CHECK(l.back() == &items[3]);
  for (int i = 0; i < 4; ++i) {
    item* const popped = l.pop_front();
    REQUIRE(popped != nullptr);
    CHECK(popped->value == i);
    CHECK_FALSE(popped->in_list());
  }
  CHECK(l.empty());
}

TEST_CASE("an element is removed without its list being named", "[intrusive_list]") {
  auto items = make_items(3);
  const std::size_t removed = GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{2});
  list l{};
  for (item& i : items) {
    l.push_back(i);
  }
  list::remove(items[removed]);
  CHECK_FALSE(items[removed].in_list());
  CHECK(values(l).size() == 2);
  for (const int v : values(l)) {
    CHECK(v != static_cast<int>(removed));
  }
  l.push_back(items[removed]);
  CHECK(l.back() == &items[removed]);
}

TEST_CASE("an element is in two lists by two hooks", "[intrusive_list]") {
  auto items = make_items(1);
  list l{};
  other_list o{};
  l.push_back(items[0]);
  o.push_back(items[0]);
  CHECK(l.front() == &items[0]);
  CHECK(o.front() == &items[0]);
  list::remove(items[0]);
  CHECK_FALSE(items[0].in_list());
  CHECK(items[0].in_other());
  CHECK(o.pop_front() == &items[0]);
}

TEST_CASE("everything moves from one list to the end of another", "[intrusive_list]") {
  auto items = make_items(4);
  list a{};
  list b{};
  a.take_all(b);
  CHECK(a.empty());
  b.push_back(items[0]);
  a.take_all(b);
  CHECK(b.empty());
  CHECK(values(a) == std::vector<int>{0});
  b.push_back(items[1]);
  b.push_back(items[2]);
  a.take_all(b);
  CHECK(values(a) == std::vector<int>{0, 1, 2});
  b.push_back(items[3]);
  CHECK(values(b) == std::vector<int>{3});
  list::remove(items[1]);
  CHECK(values(a) == std::vector<int>{0, 2});
}

TEST_CASE("a random walk over two lists agrees with std::deque", "[intrusive_list]") {
  std::mt19937 random(20240601);
  auto items = make_items(24);
  list lists[2]{};
  std::deque<int> models[2];
  for (int step = 0; step < 20'000; ++step) {
    item& i = items[random() % items.size()];
    const std::size_t which = random() % 2;
    if (i.in_list()) {
      if (random() % 4 == 0 && !models[which].empty()) {
        REQUIRE(lists[which].pop_front()->value == models[which].front());
        models[which].pop_front();
      } else {
        list::remove(i);
        for (auto& m : models) {
          m.erase(std::remove(m.begin(), m.end(), i.value), m.end());
        }
      }
    } else if (random() % 2 == 0) {
      lists[which].push_back(i);
      models[which].push_back(i.value);
    } else {
      lists[which].push_front(i);
      models[which].push_front(i.value);
    }
    if (random() % 200 == 0) {
      lists[which].take_all(lists[1 - which]);
      models[which].insert(models[which].end(), models[1 - which].begin(), models[1 - which].end());
      models[1 - which].clear();
    }
    for (int l = 0; l < 2; ++l) {
      REQUIRE(values(lists[l]) == std::vector<int>(models[l].begin(), models[l].end()));
    }
  }
}

TEST_CASE("misuse of a list stops the program", "[intrusive_list]") {
  auto items = make_items(2);
  list l{};
  l.push_back(items[0]);
  CHECK(dies([&] { l.push_back(items[0]); }).aborted);
  CHECK(dies([&] { l.push_front(items[0]); }).aborted);
  CHECK(dies([&] { list::remove(items[1]); }).aborted);
  CHECK(dies([&] { static_cast<void>(l.next(items[1])); }).aborted);
  CHECK(dies([&] { l.take_all(l); }).aborted);
}
