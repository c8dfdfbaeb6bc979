// server, L3: the part of ws_session that compresses and inflates whole messages (RFC 7692 §6).
#pragma once

namespace nen {

/// A message is inflated into a slot of its own, which bounds it.
template <class Routes, config Config, class... State>
template <class Peer>
void ws_session<Routes, Config, State...>::deliver_inflated(Peer& p, const ws::message& m) {
  detail::websocket_state& w = state_of(p);
  const std::uint32_t room = take_room(p);
  if (room == 0) return;
  const std::span<char> into = store_.room_of(room).first(gathered_bytes_max(w));
  const auto [outcome, size] = store_.compression().inflate(slot_of(p).compression, m.bytes, into);
  const std::string_view text{into.data(), size};
  switch (outcome) {
    case detail::inflated::too_big:
      fail(p, ws::close_code::message_too_big);
      break;
    case detail::inflated::invalid:
      fail(p, ws::close_code::invalid_frame_payload_data);
      break;
    case detail::inflated::ok:
      if (m.is_text && !w.reader.check_inflated(text, true)) {
        fail(p, ws::close_code::invalid_frame_payload_data);
      } else {
        deliver(p, {text, m.is_text, room});
      }
      break;
  }
  store_.release(room);
}

/// @pre  there is room for the message as it is
template <class Routes, config Config, class... State>
template <class Peer, class Writer>
bool ws_session<Routes, Config, State...>::send_compressed(Peer& p, Writer& out,
                                                           const detail::websocket_payload& what) {
  slot& s = slot_of(p);
  if (!s.compression.agreed || ws::is_control(what.opcode) ||
      what.bytes.size() < compression::least_bytes)
    return false;
  const std::uint32_t room = store_.take_message();
  if (room == 0) return false;
  // Not longer than the message itself, so that what there is room for still fits.
  const auto most = detail::smallest(what.bytes.size(), store_.room_of(room).size());
  const std::span<char> into = store_.room_of(room).first(most);
  const auto size = store_.compression().compress(s.compression, what.bytes, into);
  bool is_sent = false;
  if (size) {
    char head[ws::frame_head_bytes_max];
    const char* const head_end =
        ws::write_frame_head(head, {.opcode = what.opcode, .is_compressed = true}, *size);
    const std::string_view head_bytes(head, static_cast<std::size_t>(head_end - head));
    const std::string_view payload{into.data(), *size};
    out.begin_message();
    (void)out.append(head_bytes);
    if (head_bytes.size() + payload.size() <= out.body_bytes_max()) {
      is_sent = out.append(payload);
    } else if (out.append_view(payload, room)) {
      use_view(room);
      is_sent = true;
    }
    if (!is_sent) {
      out.restart_message();
      store_.compression().heard_alone(s.compression);  // nothing may refer to what is not sent
    }
  }
  store_.release(room);
  return is_sent;
}

template <class Routes, config Config, class... State>
std::uint32_t ws_session<Routes, Config, State...>::shorter_of(slot& s, std::uint32_t shared) {
  auto& frame = store_.shared(shared);
  const std::string_view payload = frame.payload();
  if (!s.compression.agreed || s.compression.window_bits != compression::window_bits ||
      payload.size() < compression::least_bytes)
    return shared;
  if (frame.shorter == 0) {
    frame.shorter = shared;
    if (const std::uint32_t room = store_.take_message()) {
      const auto most = detail::smallest(payload.size(), store_.room_of(room).size());
      const std::span<char> into = store_.room_of(room).first(most);
      if (const auto size = store_.compression().compress_alone(payload, into)) {
        const auto opcode = static_cast<ws::opcode>(frame.bytes[0] & 0x0f);
        const std::uint32_t made = store_.share(
            ws::frame_head{.opcode = opcode, .is_compressed = true}, {into.data(), *size});
        if (made != 0) frame.shorter = made;
      }
      store_.release(room);
    }
  }
  if (frame.shorter != shared) store_.compression().heard_alone(s.compression);
  return frame.shorter;
}

}  // namespace nen
