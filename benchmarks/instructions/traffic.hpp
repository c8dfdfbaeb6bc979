// The clients: what the load generator sends, in rounds, and whether what comes back is right.
#pragma once

#include <nen/testing/simulated_shard.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../load/echo_reader.hpp"
#include "../load/options.hpp"
#include "../load/requests.hpp"
#include "../load/response_reader.hpp"
#include "metered_server.hpp"

namespace instructions {

/// A closed loop: in a round every client sends its batch, the server does all that comes of it,
/// and every answer is read. Between rounds a millisecond passes, so that clocks and timers are at
/// work too. The program ends with 1 and a sentence at the first answer that is wrong.
class traffic {
 public:
  traffic(const load::options& o, metered_server& server);

  /// So many rounds begin and end with a client in the same state.
  std::uint64_t rounds_in_cycle() const;
  std::uint64_t answers_in_round() const;

  void round();
  void close_all();

 private:
  struct client {
    std::optional<nen::testing::simulated_client> connected;
    load::response_reader response;
    std::uint64_t sent = 0;  // on this connection
    bool is_last = false;    // the server closes it behind what it answers now
  };

  void connect(client& c);
  void send_batch(client& c);
  void settle();
  void read_batch(client& c);
  load::verdict read_answer(client& c, std::string_view& bytes);
  void check_answer(const client& c);
  void check_end(client& c);

  const load::options chosen_;
  metered_server& server_;
  const load::request_cycle cycle_;
  const std::string payload_;  // of a message, or of a request
  load::echo_reader echo_;
  std::vector<client> clients_;
};

}  // namespace instructions
