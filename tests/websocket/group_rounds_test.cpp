// A broadcast goes round a group once, whatever happens to the group meanwhile: members without a
// server.
#include <nen/server/websocket_members.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "support/catch.hpp"

namespace {

/// What is sent to one may do anything to the group, once.
struct stage : nen::detail::websocket_host {
  static constexpr std::uint32_t size = 6;
  struct member {
    nen::detail::membership in{};
    nen::intrusive_list<nen::detail::membership, nen::detail::of_peer> groups{};
    std::string heard;
    std::string deed;  // "-2" takes out number 2, "+3" puts number 3 in, "!x" broadcasts x
  };

  stage() {
    call = &table;
    for (std::uint32_t i = 0; i < 4; ++i) join(i);
  }
  ~stage() {
    for (std::uint32_t i = 0; i < size; ++i) leave(i);
  }
  void join(std::uint32_t i) {
    if (members[i].in.group == nullptr)
      group.add(members[i].in, nen::detail::websocket_access::make(*this, {i, 0}));
  }
  void leave(std::uint32_t i) {
    if (members[i].in.group != nullptr) group.end(members[i].in);
  }
  void broadcast(char what) {
    (void)group.broadcast({nen::ws::opcode::text, {&what, 1}, 0}, nen::ws::slow_peer::drop);
  }
  std::string heard() {
    std::string all;
    for (const member& m : members) all += m.heard + "|";
    return all;
  }
  void act(std::string_view deed) {
    for (; deed.size() >= 2; deed.remove_prefix(2)) {
      const auto number = static_cast<std::uint32_t>(deed[1] - '0');
      if (deed[0] == '-') leave(number);
      if (deed[0] == '+') join(number);
      if (deed[0] == '!') broadcast(deed[1]);
    }
  }

  static stage& of(nen::detail::websocket_host& h) { return static_cast<stage&>(h); }
  static nen::ws::send_result send(nen::detail::websocket_host& h,
                                   const nen::detail::websocket_name& n,
                                   const nen::detail::websocket_payload& what,
                                   std::optional<nen::ws::slow_peer>) {
    member& m = of(h).members[n.slot];
    m.heard += what.bytes;
    of(h).act(std::exchange(m.deed, {}));
    return nen::ws::send_result::sent;
  }
  using memberships = nen::intrusive_list<nen::detail::membership, nen::detail::of_peer>;
  static memberships& groups_of(nen::detail::websocket_host& h,
                                const nen::detail::websocket_name& n) {
    return of(h).members[n.slot].groups;
  }
  static std::uint32_t share(nen::detail::websocket_host&,
                             const nen::detail::websocket_payload&) noexcept {
    return 0;  // each is sent its own
  }
  static constexpr functions table = [] {
    functions made{};
    made.send = send;
    made.memberships = groups_of;
    made.share = share;
    return made;
  }();

  nen::detail::group_members group{
      [](nen::detail::group_members&, nen::detail::membership& m) noexcept { m.group = nullptr; }};
  std::array<member, size> members{};
};

}  // namespace

TEST_CASE("whatever happens to a group during a broadcast, each member hears it once",
          "[websocket]") {
  struct {
    const char* what;
    std::uint32_t who;  // does it when he hears
    const char* deed;
    const char* heard;
  } const cases[] = {
      {"nothing", 0, "", "a|a|a|a|||"},
      {"one who heard it leaves", 2, "-0", "a|a|a|a|||"},
      {"he himself leaves", 1, "-1", "a|a|a|a|||"},
      {"the next one leaves", 1, "-2", "a|a||a|||"},
      {"all others leave", 1, "-0-2-3", "a|a|||||"},
      {"all leave", 1, "-0-1-2-3", "a|a|||||"},
      {"the last one leaves by himself", 3, "-3", "a|a|a|a|||"},
      {"somebody joins", 1, "+4", "a|a|a|a|||"},
      {"one leaves and comes back", 2, "-0+0", "a|a|a|a|||"},
      {"somebody broadcasts", 1, "!b", "ab|ab|ba|ba|||"},
      {"and somebody joins before", 1, "+4!b", "ab|ab|ba|ba|b||"},
      {"and somebody leaves before", 1, "-2!b", "ab|ab||ba|||"},
      {"and leaves behind it", 1, "!b-1-2", "ab|ab|b|ba|||"},
  };
  for (const auto& c : cases) {
    INFO(c.what);
    stage s;
    s.members[c.who].deed = c.deed;
    s.broadcast('a');
    CHECK(s.heard() == c.heard);
  }
}

TEST_CASE("broadcasts within broadcasts within broadcasts end, and nobody hears one twice",
          "[websocket]") {
  stage s;
  s.members[0].deed = "!b";
  s.members[1].deed = "-0!c";
  s.members[2].deed = "+4-3!d";
  s.broadcast('a');
  CHECK(s.heard() == "a|bdca|cdba||dba||");
}
