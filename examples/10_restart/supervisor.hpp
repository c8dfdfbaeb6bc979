// Holds a listener and has one process after the other accept from it, by systemd's own protocol: a
// server cannot tell the difference. The old one is told to stop when the new one is ready, so that
// there is always one who answers. Not a part of the library.
#pragma once

#include <nen/net/socket.hpp>
#include <nen/net/systemd.hpp>

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>

namespace example {

class supervisor {
 public:
  supervisor(const char* program, const nen::endpoint& where) : program_(program), where_(where) {}

  int run() {
    if (!listen() || !be_notified() || !be_signalled()) return 1;
    start();
    while (serving_ != 0 || starting_ != 0 || stopping_ != 0 || (has_served_ && !is_ending_)) {
      pollfd events[] = {{signals_.native_handle(), POLLIN, 0}, {told_.native_handle(), POLLIN, 0}};
      (void)::poll(events, 2, 100);
      if (events[1].revents != 0) hear();
      if (events[0].revents != 0) obey();
      look_at_the_clock();
    }
    return is_ending_ ? 0 : 1;
  }

 private:
  static constexpr std::time_t start_seconds_max = 10;

  static void say(const char* what, pid_t who) { std::fprintf(stderr, "%s %d\n", what, who); }
  static bool failed(const char* what) {
    std::fprintf(stderr, "%s: %s\n", what, std::strerror(errno));
    return false;
  }

  bool listen() {
    auto made = nen::listen_on(where_);
    if (!made) {
      std::fprintf(stderr, "%s\n", made.error().c_str());
      return false;
    }
    listener_ = std::move(*made);
    const auto bound = nen::local_endpoint(listener_);
    if (!bound) return failed("the listener's address");
    std::printf("listening on %s\n", bound->to_string().c_str());
    std::fflush(stdout);
    return true;
  }

  /// Servers say at this socket that they are ready; the kernel says who has spoken.
  bool be_notified() {
    told_ = nen::socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un name = {};
    name.sun_family = AF_UNIX;
    socklen_t size = sizeof(sa_family_t);  // no name: the kernel chooses an abstract one
    const int on = 1;
    const int fd = told_.native_handle();
    if (::setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0 ||
        ::bind(fd, reinterpret_cast<sockaddr*>(&name), size) != 0)
      return failed("the notify socket");
    size = sizeof name;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0)
      return failed("the notify socket");
    notify_name_.assign(name.sun_path, size - sizeof(sa_family_t));
    notify_name_[0] = '@';
    return true;
  }

  bool be_signalled() {
    sigset_t wanted;
    sigemptyset(&wanted);
    for (const int number : {SIGHUP, SIGTERM, SIGINT, SIGCHLD}) sigaddset(&wanted, number);
    ::sigprocmask(SIG_BLOCK, &wanted, &signals_before_);
    signals_ = nen::socket(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
    return signals_ ? true : failed("signalfd");
  }

  void start() {
    started_at_ = ::time(nullptr);
    starting_ = ::fork();
    if (starting_ == 0) become_server();
    if (starting_ < 0) {
      starting_ = 0;
      failed("fork");
    }
  }

  /// The program is looked for anew: it may be another version by now.
  [[noreturn]] void become_server() {
    constexpr int first = 3;
    const int given = ::dup2(listener_.native_handle(), first);
    // A descriptor that is its own copy would be closed on exec.
    if (given == listener_.native_handle()) ::fcntl(given, F_SETFD, 0);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDS", "1", 1);
    ::setenv("LISTEN_FDNAMES", "web", 1);
    ::setenv("NOTIFY_SOCKET", notify_name_.c_str(), 1);
    ::sigprocmask(SIG_SETMASK, &signals_before_, nullptr);
    char* const arguments[] = {const_cast<char*>(program_), nullptr};
    ::execvp(program_, arguments);
    failed(program_);
    ::_exit(127);
  }

  void hear() {
    char text[512];
    iovec part = {text, sizeof text};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))];
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    for (ssize_t size = 0; (size = ::recvmsg(told_.native_handle(), &message, 0)) >= 0;) {
      const cmsghdr* const header = CMSG_FIRSTHDR(&message);
      ucred sender = {};
      if (header != nullptr && header->cmsg_type == SCM_CREDENTIALS)
        std::memcpy(&sender, CMSG_DATA(header), sizeof sender);
      const std::string_view said(text, static_cast<std::size_t>(size));
      if (sender.pid == starting_ && said.substr(0, 8) == "READY=1\n") is_ready();
      message.msg_controllen = sizeof control;
    }
  }

  void is_ready() {
    say("serving", starting_);
    if (serving_ != 0) {
      ::kill(serving_, SIGTERM);
      ++stopping_;
    }
    serving_ = starting_;
    starting_ = 0;
    has_served_ = true;
    if (is_ending_) end();
  }

  void obey() {
    signalfd_siginfo signal = {};
    while (::read(signals_.native_handle(), &signal, sizeof signal) == sizeof signal) {
      if (signal.ssi_signo == SIGCHLD) {
        reap();
      } else if (signal.ssi_signo != SIGHUP) {
        end();
      } else if (starting_ == 0 && !is_ending_) {
        start();
      }
    }
  }

  void end() {
    is_ending_ = true;
    for (const pid_t server : {serving_, starting_})
      if (server != 0) ::kill(server, SIGTERM);
  }

  void reap() {
    int status = 0;
    for (pid_t who = 0; (who = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      const bool is_good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
      say(is_good ? "ended" : "failed", who);
      if (who == starting_) {
        starting_ = 0;  // whoever serves goes on
      } else if (who == serving_) {
        serving_ = 0;
      } else {
        --stopping_;
      }
    }
  }

  void look_at_the_clock() {
    const auto now = ::time(nullptr);
    if (starting_ != 0 && now - started_at_ > start_seconds_max) ::kill(starting_, SIGKILL);
    // A server that died is replaced, but not as fast as it can die.
    const bool nobody = serving_ == 0 && starting_ == 0;
    if (nobody && has_served_ && !is_ending_ && now != started_at_) start();
  }

  const char* program_;
  nen::endpoint where_;
  nen::socket listener_, told_, signals_;
  sigset_t signals_before_ = {};
  std::string notify_name_;
  pid_t starting_ = 0;  // not ready yet
  pid_t serving_ = 0;
  int stopping_ = 0;  // how many finish what they have in hand
  std::time_t started_at_ = 0;
  bool has_served_ = false;  // else there is no use in trying again
  bool is_ending_ = false;
};

/// Supervises servers of this program until SIGTERM. @returns  the exit code
inline int supervise(const char* program, const nen::endpoint& where) {
  return supervisor(program, where).run();
}

}  // namespace example
