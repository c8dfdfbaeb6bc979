// Tests of core/discarding_output.hpp: it takes whatever a message is, and keeps nothing.
#include <nen/core/discarding_output.hpp>

#include <cstring>
#include <string>

#include "support/catch.hpp"

TEST_CASE("a discarded message has a head in one place and a body of any length") {
  nen::discarding_output out;
  for (int i = 0; i < 3; ++i) {
    out.begin_message();
    char* const head = out.room(100);
    REQUIRE(head != nullptr);
    std::memset(head, 'h', 100);
    out.advance_to(head + 100);
    CHECK(out.message() == head);
    CHECK(out.append(std::string(10'000, 'b')));
    out.attach("static");
    CHECK(std::string_view(head, 3) != "hhh");  // written over
  }
}

TEST_CASE("a discarded head has its limit, and a message can be taken back") {
  nen::discarding_output out;
  out.begin_message();
  CHECK(out.room(512) != nullptr);
  CHECK(out.room(513) == nullptr);
  char* const before = out.cursor();
  out.advance_to(before + 500);
  CHECK(out.room(13) == nullptr);
  out.restart_message();
  CHECK(out.cursor() == before);
  CHECK(out.room(512) == before);
}
