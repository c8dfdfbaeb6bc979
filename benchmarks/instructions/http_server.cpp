// The target, with the sizes that it has when it is compared with others.
#include <nen/server/http_session.hpp>

#include "../target/routes.hpp"
#include "metered_server.hpp"

namespace instructions {

metered_server& http_server() {
  constexpr nen::config sizes = target::many_at_once();
  using session = nen::session_for<target::routes, sizes, target::room>;
  target::fill_alphabet();
  static metered_shard<session, sizes, target::room> server;
  return server;
}

}  // namespace instructions
