// server, L3: what the HTTP session does for the access log and for the ids of requests. Where
// these are off, it has no size and its functions do nothing.
#pragma once

#include <nen/config.hpp>
#include <nen/core/assert.hpp>
#include <nen/core/client_address.hpp>
#include <nen/core/unique_number.hpp>
#include <nen/http/log_line.hpp>
#include <nen/http/parser.hpp>
#include <nen/http/request_id.hpp>
#include <nen/http/response.hpp>
#include <nen/http/trace_context.hpp>
#include <nen/server/http_journal_parts.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nen::detail {

/// What a connection keeps of its request for it.
template <config Config>
struct journal_state : journal_begin<Config.log_bytes != 0>, journal_number<Config.request_ids> {};

/// One for a shard's session. Peers have a state() that is a journal_state, and a log().
template <config Config>
class http_journal {
  static constexpr bool has_log = Config.log_bytes != 0;
  static constexpr bool has_ids = Config.request_ids;

 public:
  /// True where it matters which request is refused.
  static constexpr bool is_kept = has_log || has_ids;

  /// The first byte of a request has come.
  template <class Peer>
  void begin(Peer& p, request_parser& its) noexcept {
    if constexpr (has_ids) {
      p.state().number = make_unique_number();
      its.set_number(&p.state().number);
    }
    if constexpr (has_log) p.state().journal_began_ns = p.now_ns();
  }

  /// The field lines of an answer.
  /// @param common    which all answers have
  /// @param answered  null: nobody knows what was asked
  response_defaults lines([[maybe_unused]] journal_state<Config>& of,
                          const response_defaults& common,
                          [[maybe_unused]] const request* answered) noexcept {
    if constexpr (has_ids) {
      if (of.number == unique_number{}) of.number = make_unique_number();
      return id_lines_.with(
          common, answered != nullptr ? request_id::of(*answered) : request_id(of.number));
    } else {
      return common;
    }
  }

  /// An answer is complete.
  /// @param answered  null: nobody knows what was asked
  /// @param status    -1: there was no answer
  template <class Peer>
  void log(Peer& p, const request* answered, int status, std::uint64_t body_bytes) noexcept {
    if constexpr (has_log) {
      if (!p.log().wants(status)) return;
      texts kept;
      log_entry entry = entry_of(p, answered, kept);
      entry.status = status;
      entry.body_bytes = body_bytes;
      add(p, entry, p.state().journal_began_ns);
    } else {
      (void)p, (void)answered, (void)status, (void)body_bytes;
    }
  }
  template <class Peer>
  void log(Peer& p, const request* answered, const response& res) noexcept {
    log(p, answered, static_cast<int>(res.code()), res.body_bytes());
  }

  /// An answer begins to be streamed: it is logged when that ends, but its request is gone then.
  /// @param stream  its number
  template <class Peer>
  void stream_begins(Peer& p, std::uint32_t stream, const request& answered,
                     const response& res) noexcept {
    if constexpr (has_log) {
      kept_log_entry& line = streams_.each[stream];
      const int status = static_cast<int>(res.code());
      line.is_kept = p.log().wants(status);
      if (!line.is_kept) return;
      texts kept;
      log_entry entry = entry_of(p, &answered, kept);
      entry.status = status;
      line.keep(entry);
    } else {
      (void)p, (void)stream, (void)answered, (void)res;
    }
  }
  void stream_goes_on([[maybe_unused]] std::uint32_t stream,
                      [[maybe_unused]] std::uint64_t bytes) noexcept {
    if constexpr (has_log) streams_.each[stream].entry.body_bytes += bytes;
  }
  template <class Peer>
  void stream_ends([[maybe_unused]] Peer& p, [[maybe_unused]] std::uint32_t stream) noexcept {
    if constexpr (has_log) {
      kept_log_entry& line = streams_.each[stream];
      if (line.is_kept) add(p, line.entry, p.state().journal_began_ns);
    }
  }

  /// Lives as long as an answer is being written in the middle of which another one may be.
  class keeper {
   public:
    keeper(http_journal& journal, response_defaults& defaults) noexcept
        : lines_(journal.id_lines_, defaults) {}

   private:
    [[no_unique_address]] lines_keeper<has_ids> lines_;
  };

 private:
  /// Memory for what a line says.
  struct texts {
    client_address_text client;
    std::optional<request_id> own_id;
    std::optional<traceparent> trace;
  };

  /// All of a line but how the answer went.
  template <class Peer>
  static log_entry entry_of(Peer& p, const request* answered, texts& kept) noexcept {
    log_entry entry;
    kept.client = p.client().to_text();
    entry.client = kept.client;
    if constexpr (has_ids) {
      // A trace that a handler begins has the request's number as well.
      if (p.state().number != unique_number{})
        entry.request_id = entry.trace_id = kept.own_id.emplace(p.state().number);
    }
    if (answered == nullptr) return entry;
    entry.method = to_string(answered->method());
    entry.target = answered->target();
    entry.version_minor = answered->version_minor();
    entry.referer = answered->field("Referer").value_or("");
    entry.user_agent = answered->field("User-Agent").value_or("");
    if (const auto name = request_id::name_in(*answered); !name.empty()) entry.request_id = name;
    kept.trace = find_traceparent(*answered);
    if (kept.trace) entry.trace_id = kept.trace->trace();
    return entry;
  }

  template <class Peer>
  static void add(Peer& p, log_entry& entry, std::uint64_t began_ns) noexcept {
    constexpr std::uint64_t ns_per_us = 1000;
    entry.unix_seconds = p.unix_seconds();
    // A connection that was turned away before it said a word has no beginning.
    if (began_ns != 0) entry.microseconds = (p.clock_ns() - began_ns) / ns_per_us;
    p.log().add(entry, p.counters());
  }

  [[no_unique_address]] id_lines<has_ids> id_lines_;
  [[no_unique_address]] kept_log_entries<Config.streams, has_log> streams_;
};

}  // namespace nen::detail
