// listen_on: the sentence for each errno, without provoking it.
#include <nen/net/socket.hpp>

#include <string>

#include "support/catch.hpp"

using nen::endpoint;

TEST_CASE("every errno of listening has a cause and a fix in one sentence", "[socket]") {
  const endpoint tcp = *endpoint::parse("0.0.0.0", 80);
  const endpoint local = *endpoint::unix_path("/run/x.sock");
  const struct {
    int errno_value;
    const endpoint& where;
    const char* message;
  } cases[] = {
      {EACCES, tcp,
       "cannot listen on 0.0.0.0:80: permission denied; use a port above 1023 or grant "
       "CAP_NET_BIND_SERVICE"},
      {EACCES, local,
       "cannot listen on unix:/run/x.sock: permission denied; make its directory writable for this "
       "user or choose another path"},
      {EADDRINUSE, tcp,
       "cannot listen on 0.0.0.0:80: address already in use; stop the other program or choose "
       "another port"},
      {EADDRINUSE, local,
       "cannot listen on unix:/run/x.sock: address already in use; stop the other program or "
       "choose another path"},
      {EAFNOSUPPORT, tcp,
       "cannot listen on 0.0.0.0:80: the system does not support this kind of address; use an IPv4 "
       "address such as 0.0.0.0"},
      {EMFILE, tcp,
       "cannot listen on 0.0.0.0:80: this process has no descriptor left; raise its limit with "
       "`ulimit -n` or LimitNOFILE= in systemd"},
      {ENFILE, tcp,
       "cannot listen on 0.0.0.0:80: the system has no descriptor left; raise fs.file-max"},
      {EROFS, local,
       "cannot listen on unix:/run/x.sock: its file system is read-only; choose another path"},
      {ENOMEM, tcp, "cannot listen on 0.0.0.0:80: Cannot allocate memory (errno 12); see bind(2)"},
  };
  for (const auto& c : cases) {
    const nen::error e = nen::detail::listen_error(c.errno_value, c.where, "bind");
    CHECK(std::string(e.message()) == c.message);
    CHECK(e.code().value() == c.errno_value);
  }
}
