// expect: a handler takes a state that the server does not have: add its type to
#include <nen/http/router.hpp>

struct app {};
struct other {};
nen::reply show(app&, nen::response& res) { return res.text(""); }

using routes = nen::router<nen::get<"/", show>>;
nen::reply serve(const nen::request& req, nen::response& res, other& state) {
  return routes::dispatch(req, res, nen::state_refs<other>{state}, {});
}
