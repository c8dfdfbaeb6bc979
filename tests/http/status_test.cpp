// Tests of http/status.hpp.
#include <nen/http/status.hpp>

#include <string_view>

#include "support/catch.hpp"

TEST_CASE("statuses have the phrases of their RFCs") {
  struct row {
    int code;
    std::string_view phrase;
  };
  const row rows[] = {{100, "Continue"},
                      {101, "Switching Protocols"},
                      {103, "Early Hints"},
                      {200, "OK"},
                      {203, "Non-Authoritative Information"},
                      {204, "No Content"},
                      {304, "Not Modified"},
                      {308, "Permanent Redirect"},
                      {400, "Bad Request"},
                      {405, "Method Not Allowed"},
                      {413, "Content Too Large"},
                      {414, "URI Too Long"},
                      {417, "Expectation Failed"},
                      {421, "Misdirected Request"},
                      {426, "Upgrade Required"},
                      {429, "Too Many Requests"},
                      {431, "Request Header Fields Too Large"},
                      {500, "Internal Server Error"},
                      {501, "Not Implemented"},
                      {503, "Service Unavailable"},
                      {505, "HTTP Version Not Supported"}};
  for (const row& r : rows) {
    CAPTURE(r.code);
    CHECK(nen::reason_phrase(static_cast<nen::status>(r.code)) == r.phrase);
  }
}

TEST_CASE("enumerators have the numbers of their codes") {
  CHECK(static_cast<int>(nen::status::continue_) == 100);
  CHECK(static_cast<int>(nen::status::partial_content) == 206);
  CHECK(static_cast<int>(nen::status::see_other) == 303);
  CHECK(static_cast<int>(nen::status::unprocessable_content) == 422);
  CHECK(static_cast<int>(nen::status::gateway_timeout) == 504);
}

TEST_CASE("a code without a name has an empty phrase") {
  CHECK(nen::reason_phrase(static_cast<nen::status>(299)).empty());
  CHECK(nen::reason_phrase(nen::status{}).empty());
}
