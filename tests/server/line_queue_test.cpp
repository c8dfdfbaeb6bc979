// The queue of lines that wait to be written, against a string: nothing is lost, mixed or cut.
#include <nen/server/access_log.hpp>
#include <nen/testing/random.hpp>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "support/catch.hpp"

namespace {

constexpr std::uint32_t bytes = 8192;
using queue = nen::detail::line_queue<bytes>;

std::string line_of(std::size_t number, std::size_t size) {
  std::string line = std::to_string(number) + ":";
  line.resize(std::max(size, line.size() + 1), 'x');
  line.back() = '\n';
  return line;
}

bool push(queue& to, const std::string& line) {
  char* const room = to.room();
  if (room == nullptr) return false;
  std::memcpy(room, line.data(), line.size());
  to.push(line.size());
  return true;
}

}  // namespace

TEST_CASE("whatever is pushed and popped, lines come out whole and in order") {
  nen::testing::random chance(7);
  const auto lines = std::make_unique<queue>();
  std::string model;  // what is in it
  std::size_t number = 0;
  std::size_t refused = 0;
  for (int step = 0; step < 100'000; ++step) {
    const bool fills = step / 1000 % 2 == 0;
    if (chance.chance(fills ? 700 : 400)) {
      const std::size_t longest = chance.chance(100) ? nen::log_line_bytes_max : 300;
      const std::string line = line_of(number, chance.between(8, longest));
      if (push(*lines, line)) {
        model += line;
        ++number;
      } else {
        ++refused;
        // It is refused only where so little is left that a longest line might not fit: at the
        // end of the memory, and in front of what waits.
        REQUIRE(model.size() + 2 * nen::log_line_bytes_max > bytes);
      }
    } else if (!lines->empty()) {
      const bool is_pipe = chance.chance(500);
      const auto front = lines->front(is_pipe ? 4096 : bytes);
      REQUIRE(!front.empty());
      REQUIRE(model.substr(0, front.size()) == front);
      REQUIRE(front.back() == '\n');
      REQUIRE((!is_pipe || front.size() <= 4096));
      // A write may be short.
      const auto taken = chance.chance(300) ? chance.between(1, front.size()) : front.size();
      lines->pop(taken);
      model.erase(0, taken);
    }
    REQUIRE(lines->empty() == model.empty());
    REQUIRE(lines->lines() ==
            static_cast<std::uint32_t>(std::count(model.begin(), model.end(), '\n')));
  }
  CHECK(number > 40'000);
  CHECK(refused > 100);
}

TEST_CASE("an empty queue has room for the longest lines that a pipe takes") {
  const auto lines = std::make_unique<queue>();
  for (std::size_t size = 8; size <= nen::log_line_bytes_max; ++size) {
    REQUIRE(push(*lines, line_of(1, size)));
    REQUIRE(push(*lines, line_of(2, size)));
    lines->pop(lines->front(bytes).size());
    REQUIRE(lines->empty());
  }
  REQUIRE(push(*lines, line_of(1, 100)));
  lines->clear();
  CHECK(lines->empty());
  CHECK(lines->lines() == 0);
}
