// What systemd's protocol says and what hostile variables say instead. Everything that looks at
// descriptors from 3 on or at the environment happens in child processes.
#include <nen/net/systemd.hpp>

#include <sys/wait.h>

#include <string>
#include <vector>

#include "support/catch.hpp"

namespace {

using nen::test::ContainsSubstring;

using variables = std::vector<std::pair<const char*, std::string>>;

/// Runs it in a child. @returns  what it gives back
template <class F>
std::string in_child(F function) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    const int out = ::fcntl(ends[1], F_DUPFD, 200);
    for (int i = 3; i < 100; ++i) ::close(i);
    const std::string said = function();
    (void)!::write(out, said.data(), said.size());
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string said;
  char buffer[512];
  for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;)
    said.append(buffer, static_cast<std::size_t>(got));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  CHECK(status == 0);
  return said;
}

/// "self" is this process's id.
void set(const variables& all) {
  for (const auto& [name, value] : all)
    ::setenv(name, value == "self" ? std::to_string(::getpid()).c_str() : value.c_str(), 1);
}

/// A socket of this kind at the lowest descriptor that is free.
int make(int family, int type, bool listens) {
  const int made = ::socket(family, type, 0);
  sockaddr_storage any = {};
  any.ss_family = static_cast<sa_family_t>(family);
  const socklen_t size = family == AF_UNIX    ? sizeof(sa_family_t)
                         : family == AF_INET6 ? sizeof(sockaddr_in6)
                                              : sizeof(sockaddr_in);
  if (listens &&
      (::bind(made, reinterpret_cast<sockaddr*>(&any), size) != 0 || ::listen(made, 5) != 0))
    return -1;
  return made;
}

/// What listeners() finds, or says.
std::string found() {
  const auto got = nen::systemd::listeners();
  if (!got) return std::string(got.error().message());
  std::string all;
  for (const auto& l : *got)
    all += std::to_string(l.descriptor) + "=" + std::string(l.name) +
           ((::fcntl(l.descriptor, F_GETFD) & FD_CLOEXEC) != 0 ? " " : "! ");
  return all;
}

/// What notify_socket's owner has heard; and a descriptor that came along.
struct manager {
  int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  std::string name;
  int passed = -1;

  explicit manager(const std::string& where) : name(where) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    where.copy(address.sun_path, where.size());
    if (where[0] == '@') address.sun_path[0] = '\0';
    const auto size = offsetof(sockaddr_un, sun_path) + where.size() + (where[0] == '@' ? 0 : 1);
    ::unlink(where.c_str());
    REQUIRE(::bind(descriptor, reinterpret_cast<sockaddr*>(&address),
                   static_cast<socklen_t>(size)) == 0);
  }
  ~manager() {
    ::close(descriptor);
    if (passed >= 0) ::close(passed);
    ::unlink(name.c_str());
  }
  std::string hear() {
    char text[512];
    iovec part = {text, sizeof text};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const auto got = ::recvmsg(descriptor, &message, MSG_DONTWAIT);
    if (got < 0) return "nothing";
    if (const auto* header = CMSG_FIRSTHDR(&message))
      std::memcpy(&passed, CMSG_DATA(header), sizeof passed);
    return {text, static_cast<std::size_t>(got)};
  }
};

}  // namespace

TEST_CASE("inherited listeners are found with their names, whatever their family", "[net]") {
  CHECK(in_child([] {
          make(AF_INET, SOCK_STREAM, true);
          make(AF_INET6, SOCK_STREAM, true);
          make(AF_UNIX, SOCK_STREAM, true);
          set({{"LISTEN_PID", "self"}, {"LISTEN_FDS", "3"}, {"LISTEN_FDNAMES", "web:admin:"}});
          const std::string who = nen::systemd::is_activated() ? "" : "not activated ";
          return who + found();
        }) == "3=web 4=admin 5= ");
  CHECK(in_child([] {
          make(AF_INET, SOCK_STREAM, true);
          set({{"LISTEN_PID", "self"}, {"LISTEN_FDS", "1"}});
          return found();
        }) == "3=unknown ");
}

TEST_CASE("inherited listeners are taken over once, and programs that are started see nothing",
          "[net]") {
  CHECK(in_child([] {
          make(AF_INET, SOCK_STREAM, true);
          set({{"LISTEN_PID", "self"}, {"LISTEN_FDS", "1"}, {"LISTEN_FDNAMES", "web"}});
          std::string all = found();
          for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"})
            if (::getenv(name) != nullptr) all += std::string(name) + " is left ";
          return all + found();
        }) == "3=web 3=web ");
}

TEST_CASE("variables that don't fit are said, and nothing is taken over", "[net]") {
  struct row {
    variables set;
    const char* says;
  };
  const std::string many_names(5000, ':');
  for (const row& each : {
           row{{}, "LISTEN_PID and LISTEN_FDS are not set"},
           row{{{"LISTEN_PID", "self"}}, "are not set"},
           row{{{"LISTEN_FDS", "1"}}, "are not set"},
           row{{{"LISTEN_PID", ""}, {"LISTEN_FDS", ""}}, "are not set"},
           row{{{"LISTEN_PID", "1"}, {"LISTEN_FDS", "1"}}, "are process 1's"},
           row{{{"LISTEN_PID", "-1"}, {"LISTEN_FDS", "1"}}, "LISTEN_PID is \"-1\", which is not"},
           row{{{"LISTEN_PID", "1x"}, {"LISTEN_FDS", "1"}}, "LISTEN_PID is \"1x\""},
           row{{{"LISTEN_PID", "\x1b[2J\n"}, {"LISTEN_FDS", "1"}}, "LISTEN_PID is \"?[2J?\""},
           row{{{"LISTEN_PID", "99999999999999999999"}, {"LISTEN_FDS", "1"}}, "LISTEN_PID is"},
           row{{{"LISTEN_PID", "self"}, {"LISTEN_FDS", "0"}}, "1 to 64"},
           row{{{"LISTEN_PID", "self"}, {"LISTEN_FDS", "65"}}, "1 to 64"},
           row{{{"LISTEN_PID", "self"}, {"LISTEN_FDS", "4294967297"}}, "LISTEN_FDS is \"42949"},
           row{{{"LISTEN_PID", "self"}, {"LISTEN_FDS", "-2"}}, "LISTEN_FDS is \"-2\""},
           row{{{"LISTEN_PID", "self"}, {"LISTEN_FDS", " 1"}}, "LISTEN_FDS is \" 1\""},
           row{{{"LISTEN_PID", "self"}, {"LISTEN_FDS", std::string(300, '1')}}, "LISTEN_FDS is"},
           row{{{"LISTEN_PID", "self"}, {"LISTEN_FDS", "2"}}, "descriptor 4: it is not open"},
           row{{{"LISTEN_PID", "self"}, {"LISTEN_FDS", "1"}, {"LISTEN_FDNAMES", "a:b"}},
               "one name for each of 1"},
           row{{{"LISTEN_PID", "self"}, {"LISTEN_FDS", "1"}, {"LISTEN_FDNAMES", many_names}},
               "longer than 4096"},
       }) {
    const auto said = in_child([&] {
      make(AF_INET, SOCK_STREAM, true);
      set(each.set);
      return found();
    });
    INFO(said);
    CHECK_THAT(said, ContainsSubstring(each.says));
  }
}

TEST_CASE("what nobody can accept from is said", "[net]") {
  struct row {
    int (*make)();
    const char* says;
  };
  for (const row& each : {
           row{[] { return make(AF_INET, SOCK_STREAM, false); }, "does not listen"},
           row{[] { return make(AF_INET, SOCK_DGRAM, false); }, "not a stream socket"},
           row{[] { return make(AF_UNIX, SOCK_SEQPACKET, true); }, "not a stream socket"},
           row{[] { return ::open("/dev/null", O_RDONLY); }, "not a socket"},
           row{[] { return 0; }, "not open"},
       }) {
    const auto said = in_child([&] {
      each.make();
      set({{"LISTEN_PID", "self"}, {"LISTEN_FDS", "1"}});
      return found();
    });
    CHECK_THAT(said, ContainsSubstring("descriptor 3") && ContainsSubstring(each.says));
  }
}

TEST_CASE("the notify socket is a path or an abstract name", "[net]") {
  for (const std::string where : {"/tmp/nen-notify-test", "@nen-notify-test"}) {
    manager heard(where);
    const auto said = in_child([&] {
      ::setenv("NOTIFY_SOCKET", where.c_str(), 1);
      const auto told = nen::systemd::notify("READY=1\nSTATUS=well");
      if (!told || !*told) return std::string("failed");
      (void)nen::systemd::notify_reloading();
      const int kept = make(AF_INET, SOCK_STREAM, true);
      const auto stored = nen::systemd::store_descriptor(kept, "web");
      return std::string(stored && *stored ? "stored" : "failed");
    });
    CHECK(said == "stored");
    CHECK(heard.hear() == "READY=1\nSTATUS=well");
    CHECK_THAT(heard.hear(), ContainsSubstring("RELOADING=1\nMONOTONIC_USEC="));
    CHECK(heard.hear() == "FDSTORE=1\nFDNAME=web");
    REQUIRE(heard.passed >= 0);
    CHECK(nen::check_listener(heard.passed));
    CHECK(heard.hear() == "nothing");
  }
}

TEST_CASE("a notify socket that can't be is said, and none at all is no mistake", "[net]") {
  struct row {
    std::string value;
    const char* says;
  };
  for (const row& each :
       {row{"relative", "NOTIFY_SOCKET=relative"}, row{"/", "2 to 107"}, row{"@", "2 to 107"},
        row{"vsock:2:1234", "vsock"}, row{"/" + std::string(200, 'x'), "2 to 107"},
        row{"/nobody/is/here", "cannot send"}, row{"@nen-nobody", "refused"},
        row{"\n", "NOTIFY_SOCKET=?"}}) {
    const auto said = in_child([&] {
      ::setenv("NOTIFY_SOCKET", each.value.c_str(), 1);
      const auto told = nen::systemd::notify("READY=1");
      return told ? std::string("told") : std::string(told.error().message());
    });
    CHECK_THAT(said, ContainsSubstring(each.says));
  }
  CHECK(in_child([] {
          ::unsetenv("NOTIFY_SOCKET");
          const auto told = nen::systemd::notify("READY=1");
          return std::string(told && !*told ? "nobody" : "somebody");
        }) == "nobody");
}

TEST_CASE("a stored descriptor's name is checked, because it is a line of the message", "[net]") {
  for (const std::string name : {"", "a:b", "a\nREADY=1", "\xc3\xa4"})
    CHECK_FALSE(nen::systemd::store_descriptor(0, name));
  CHECK_FALSE(nen::systemd::store_descriptor(0, std::string(256, 'x')));
}

TEST_CASE("the watchdog's interval is this process's, and a number", "[net]") {
  struct row {
    variables set;
    const char* says;
  };
  for (const row& each : {
           row{{}, "0"},
           row{{{"WATCHDOG_USEC", "3000000"}}, "3000000"},
           row{{{"WATCHDOG_USEC", "3000000"}, {"WATCHDOG_PID", "self"}}, "3000000"},
           row{{{"WATCHDOG_USEC", "3000000"}, {"WATCHDOG_PID", "1"}}, "0"},
           row{{{"WATCHDOG_USEC", "18446744073709551615"}}, "18446744073709551615"},
           row{{{"WATCHDOG_USEC", "18446744073709551616"}}, "WATCHDOG_USEC is"},
           row{{{"WATCHDOG_USEC", "0"}}, "WATCHDOG_USEC is \"0\""},
           row{{{"WATCHDOG_USEC", "-5"}}, "WATCHDOG_USEC is \"-5\""},
           row{{{"WATCHDOG_USEC", "3s"}}, "WATCHDOG_USEC is \"3s\""},
           row{{{"WATCHDOG_USEC", "1"}, {"WATCHDOG_PID", "me"}}, "WATCHDOG_PID is \"me\""},
       }) {
    const auto said = in_child([&] {
      ::unsetenv("WATCHDOG_USEC");
      set(each.set);
      const auto interval = nen::systemd::watchdog_microseconds();
      return interval ? std::to_string(*interval) : std::string(interval.error().message());
    });
    CHECK(said.substr(0, std::strlen(each.says)) == each.says);
  }
}
