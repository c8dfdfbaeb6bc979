// Runs code that must abort in a child process and hands back what it wrote to stderr.
#pragma once

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>

namespace nen::test {

struct death {
  bool aborted = false;  ///< the child ended by SIGABRT
  std::string output;    ///< its stderr
};

/// Forks, runs the function in the child and waits for its end.
template <class F>
death dies(F function) {
  int ends[2] = {-1, -1};
  if (::pipe(ends) != 0) {
    return {};
  }
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[0]);
    const rlimit no_core = {0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    std::signal(SIGABRT, SIG_DFL);  // Catch2's handler would report the child's abort as its own.
    function();
    ::_exit(0);
  }
  ::close(ends[1]);
  death result;
  char buffer[512];
  for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof(buffer))) > 0;) {
    result.output.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  result.aborted = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
  return result;
}

}  // namespace nen::test
