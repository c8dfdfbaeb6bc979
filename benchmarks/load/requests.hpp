// The bytes that are sent: the requests of a cycle, laid out so that a batch is one range of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "options.hpp"

namespace load {

struct request {
  std::string bytes;
  std::string closing_bytes;  ///< the same with "Connection: close"
  bool is_head = false;       ///< the answer has no body, whatever its Content-Length says
};

/// The requests of the options or of their file. Ends the program with 2 when the file is wrong.
std::vector<request> make_requests(const options& o);

/// A client's frame with the payload of make_payload. The key is the same in all frames: a server
/// cannot tell, and the load costs nothing.
std::string make_frame(const options& o);

/// What a message carries.
std::string make_payload(std::size_t bytes);

/// The key of make_handshake.
inline constexpr std::string_view websocket_key = "dGhlIHNhbXBsZSBub25jZQ==";
std::string make_handshake(const options& o);

/// Requests in a circle, where each batch, from whichever request on, is contiguous.
class request_cycle {
 public:
  request_cycle(std::vector<request> requests, std::size_t batch_max)
      : requests_(std::move(requests)) {
    begins_.push_back(0);
    for (std::size_t i = 0; i < requests_.size() + batch_max; ++i) {
      bytes_ += at(i).bytes;
      begins_.push_back(bytes_.size());
    }
  }

  std::size_t size() const { return requests_.size(); }
  const request& at(std::size_t i) const { return requests_[i % requests_.size()]; }

  /// @param first  less than size()
  std::string_view batch(std::size_t first, std::size_t count) const {
    return std::string_view(bytes_).substr(begins_[first], begins_[first + count] - begins_[first]);
  }

 private:
  std::vector<request> requests_;
  std::string bytes_;
  std::vector<std::size_t> begins_;
};

}  // namespace load
