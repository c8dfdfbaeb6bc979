// The right way to write what the other router_*.cpp files write wrong.
#include <nen/http/router.hpp>

struct app {};
nen::reply plain(nen::response& res) { return res.text("plain"); }
nen::reply by_id(int, nen::response& res) { return res.text("id"); }
nen::reply file(std::string_view path, app&, nen::response& res) { return res.text(path); }
nen::reply check(const nen::request&, int, nen::next next) { return next(); }

using routes = nen::router<
    nen::get<"/", plain>, nen::get<"/a/:id", by_id>, nen::put<"/a/:name", by_id>,
    nen::any<"/a/:other", by_id>, nen::get<"/a/new", plain>, nen::get<"/files/*path", file>,
    nen::route<nen::methods(nen::method::post, nen::method::put), "/files/upload", plain>,
    nen::group<"/t/:tenant", nen::use<check>, nen::get<"", by_id>,
               nen::group<"/x", nen::del<"/", by_id>>>,
    nen::not_found<plain>,
    nen::on_error<[](nen::status s, nen::response& res) { return res.status(s); }>>;
static_assert(routes::route_count == 9);

nen::reply serve(const nen::request& req, nen::response& res, app& state, std::span<char> scratch) {
  return routes::dispatch(req, res, nen::state_refs<app>{state}, scratch);
}
