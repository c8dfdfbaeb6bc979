// The chains of send slots: what was written comes out in order, however the kernel takes it, and
// every slot comes back.
#include <nen/http/response.hpp>
#include <nen/server/send_queue.hpp>

#include <memory>
#include <random>
#include <string>

#include "support/catch.hpp"

namespace {

using nen::connection_base;

constexpr std::uint32_t slot_bytes = 1024;
using queue = nen::send_queue<slot_bytes, 24, 4096>;
static_assert(queue::slots_per_message == 5);

const std::string elsewhere = [] {
  std::string s;
  for (int i = 0; s.size() < 200'000; ++i) s += std::to_string(i) + ",";
  return s;
}();

/// A queue (zero at first, like in a shard), a connection, and what has to come out.
struct fixture {
  std::unique_ptr<queue> q = std::make_unique<queue>();
  connection_base c{};
  std::string expected;

  /// Takes up to `most` bytes like a send does. @returns  what was taken
  std::string take(std::size_t most, std::size_t parts_max = 8) {
    std::vector<std::string_view> parts(parts_max);
    const auto count = q->gather(c, parts, most);
    std::string got;
    for (std::size_t i = 0; i < count; ++i) {
      CHECK_FALSE(parts[i].empty());
      got += parts[i];
    }
    CHECK(got.size() <= most);
    q->sent(c, got.size());
    return got;
  }
  std::string take_all() {
    std::string got;
    while (c.has_output()) got += take(100'000);
    return got;
  }
  bool is_empty() const {
    return q->slots().in_use() == 0 && c.slots_held == 0 && c.first_slot == 0 && c.last_slot == 0 &&
           c.first_slot_sent == 0;
  }
};

void append(nen::output& out, std::string& expected, std::string_view bytes) {
  CHECK(out.append(bytes));
  expected += bytes;
}

void attach(nen::output& out, std::string_view bytes) { out.attach(bytes); }

}  // namespace

TEST_CASE("what is written comes out, whatever its length", "[server]") {
  fixture f;
  for (const std::size_t size : {0u, 1u, 1023u, 1024u, 1025u, 2048u, 4095u, 4096u}) {
    INFO(size);
    f.expected.clear();
    {
      queue::writer w(*f.q, f.c);
      w.begin_message();
      append(w, f.expected, elsewhere.substr(0, size));
    }
    CHECK(f.c.slots_held == (size + slot_bytes - 1) / slot_bytes);
    CHECK(f.c.has_output() == (size != 0));
    CHECK(f.take_all() == f.expected);
    CHECK(f.is_empty());
  }
}

TEST_CASE("a message may have exactly as many body bytes as were promised", "[server]") {
  fixture f;
  {
    queue::writer w(*f.q, f.c);
    w.begin_message();
    append(w, f.expected, elsewhere.substr(0, 4000));
    CHECK_FALSE(w.append(elsewhere.substr(0, 97)));  // nothing of it is written
    append(w, f.expected, elsewhere.substr(0, 96));
    CHECK_FALSE(w.append("x"));
    CHECK(w.append(""));
    w.begin_message();  // the next message has its own share
    append(w, f.expected, elsewhere.substr(0, 4096));
  }
  CHECK(f.c.slots_held == 8);
  CHECK(f.take_all() == f.expected);
}

TEST_CASE("a head that doesn't fit moves to a fresh slot as a whole", "[server]") {
  fixture f;
  const std::string before(1000, 'b');
  {
    queue::writer w(*f.q, f.c);
    w.begin_message();
    append(w, f.expected, before);
    w.begin_message();
    char* at = w.room(20);
    REQUIRE(at != nullptr);
    std::memcpy(at, "01234567890123456789", 20);
    w.advance_to(at + 20);
    char* const moved = w.room(30);  // 1000 + 20 + 30 bytes are too many for the first slot
    REQUIRE(moved != nullptr);
    CHECK(std::string_view(w.message(), 20) == "01234567890123456789");
    CHECK(moved == w.message() + 20);
    std::memset(moved, 'h', 30);
    w.advance_to(moved + 30);
    f.expected += "01234567890123456789" + std::string(30, 'h');
    append(w, f.expected, elsewhere.substr(0, 4096));
    CHECK(w.room(2000) == nullptr);  // longer than any slot
  }
  CHECK(f.c.slots_held <= 1 + queue::slots_per_message);
  CHECK(f.take_all() == f.expected);
  CHECK(f.is_empty());
}

TEST_CASE("a head as long as a slot fits, a longer one does not", "[server]") {
  fixture f;
  queue::writer w(*f.q, f.c);
  w.begin_message();
  CHECK(w.room(slot_bytes + 1) == nullptr);
  char* const at = w.room(slot_bytes);
  REQUIRE(at != nullptr);
  std::memset(at, 'x', slot_bytes);
  w.advance_to(at + slot_bytes);
  CHECK(w.room(1) == nullptr);
  w.restart_message();
  CHECK(f.q->slots().in_use() == 0);
}

TEST_CASE("sends that end anywhere go on where they ended", "[server]") {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    fixture f;
    std::string got;
    for (int message = 0; message < 30; ++message) {
      while (!f.q->has_room_for(f.c)) got += f.take(random() % 5000 + 1, random() % 8 + 1);
      {
        queue::writer w(*f.q, f.c);
        w.begin_message();
        append(w, f.expected, elsewhere.substr(random() % 1000, random() % 200 + 1));
        if (random() % 3 == 0) {
          const auto view = std::string_view(elsewhere).substr(random() % 1000, random() % 9000);
          attach(w, view);
          f.expected += view;
        } else {
          append(w, f.expected, elsewhere.substr(random() % 1000, random() % 3800));
        }
      }
      if (random() % 2 == 0) got += f.take(random() % 3000 + 1, random() % 8 + 1);
    }
    got += f.take_all();
    if (got != f.expected || !f.is_empty()) FAIL("round " << round);
  }
  SUCCEED();
}

TEST_CASE("a view is sent from where it is, between what is copied", "[server]") {
  fixture f;
  {
    queue::writer w(*f.q, f.c);
    for (int i = 0; i < 3; ++i) {
      w.begin_message();
      append(w, f.expected, "head");
      attach(w, elsewhere);
      f.expected += elsewhere;
      attach(w, "");  // nothing
    }
    w.begin_message();
    append(w, f.expected, "tail");
  }
  CHECK(f.c.slots_held == 4);
  std::array<std::string_view, 8> parts;
  CHECK(f.q->gather(f.c, parts, 1'000'000) == 7);
  CHECK(parts[1].data() == elsewhere.data());
  CHECK(f.take_all() == f.expected);
  CHECK(f.is_empty());
}

TEST_CASE("a message taken back leaves what was before it", "[server]") {
  for (const std::size_t before : {0u, 1u, 500u, 1023u, 1024u, 3000u}) {
    for (const std::size_t taken_back : {0u, 1u, 24u, 600u, 1024u, 4096u}) {
      for (const bool with_view : {false, true}) {
        INFO(before << " " << taken_back << " " << with_view);
        fixture f;
        {
          queue::writer w(*f.q, f.c);
          w.begin_message();
          append(w, f.expected, elsewhere.substr(0, before));
          const auto held = f.q->slots().in_use();
          w.begin_message();
          CHECK(w.append(elsewhere.substr(7, taken_back)));
          if (with_view && taken_back != 0) attach(w, elsewhere);
          w.restart_message();
          CHECK(f.q->slots().in_use() == held);
          append(w, f.expected, elsewhere.substr(99, 4096));  // the whole share again
        }
        CHECK(f.take_all() == f.expected);
        CHECK(f.is_empty());
      }
    }
  }
}

TEST_CASE("a message taken back behind a view leaves the view", "[server]") {
  fixture f;
  {
    queue::writer w(*f.q, f.c);
    w.begin_message();
    append(w, f.expected, "head");
    attach(w, elsewhere);
    f.expected += elsewhere;
    w.begin_message();
    CHECK(w.append("half"));
    w.restart_message();
    append(w, f.expected, "500");
  }
  CHECK(f.take_all() == f.expected);
  CHECK(f.is_empty());
}

TEST_CASE("one connection holds no more than its share, and room is a promise", "[server]") {
  fixture f;
  connection_base other{};
  int messages = 0;
  while (f.q->has_room_for(f.c)) {
    queue::writer w(*f.q, f.c);
    w.begin_message();
    CHECK(w.append(elsewhere.substr(0, 4096)));
    ++messages;
  }
  CHECK(f.c.slots_held > queue::slots_held_max);
  CHECK(f.c.slots_held <= queue::slots_held_max + queue::slots_per_message);
  CHECK(messages == 1);
  CHECK(f.q->has_room_for(other));
  CHECK(f.q->has_room(2));
  while (f.q->has_room()) {
    queue::writer w(*f.q, other);
    w.begin_message();
    CHECK(w.append(elsewhere.substr(0, 4096)));
  }
  CHECK(f.q->slots().available() < queue::slots_per_message);
  f.q->drop_all(f.c);
  for (messages = 0; f.q->has_room_for(f.c); ++messages) {
    queue::writer w(*f.q, f.c);
    w.begin_message();
    CHECK(w.append(elsewhere.substr(0, 700)));
  }
  CHECK(f.c.slots_held == queue::slots_held_max + 1);  // small answers fill slots one by one
  CHECK(messages > 2);
  f.q->drop_all(f.c);
  CHECK(f.c.slots_held == 0);
  CHECK(f.q->has_room());
  f.q->drop_all(other);
  CHECK(f.is_empty());
}

TEST_CASE("dropping everything forgets how far the first slot was sent", "[server]") {
  fixture f;
  for (int i = 0; i < 2; ++i) {
    {
      queue::writer w(*f.q, f.c);
      w.begin_message();
      append(w, f.expected, elsewhere.substr(0, 2000));
    }
    CHECK(f.take(1500).size() == 1500);
    f.q->drop_all(f.c);
    CHECK(f.is_empty());
  }
}

TEST_CASE("a writer goes on where the last one stopped", "[server]") {
  fixture f;
  for (int i = 0; i < 100; ++i) {
    queue::writer w(*f.q, f.c);
    w.begin_message();
    append(w, f.expected, "0123456789");
  }
  CHECK(f.c.slots_held == 1);
  CHECK(f.take(15) == "012345678901234");
  {
    queue::writer w(*f.q, f.c);
    w.begin_message();
    append(w, f.expected, "end");
  }
  CHECK(f.c.slots_held == 1);
  CHECK(f.take_all() == f.expected.substr(15));
  CHECK(f.is_empty());
}
