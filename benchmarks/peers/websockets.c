/* Echoes and a room with libwebsockets, after the advice of its README files: one service thread, no
   extensions, its default event loop, rx_buffer_size for the messages that come, TCP_NODELAY which
   it sets itself. Sends only when a connection is writeable, as the library demands. The room is
   /ws/room and made like its example minimal-ws-server-ring: a message is copied once, into a
   lws_ring in which each member has a tail. */
#include <libwebsockets.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* A message, or a part of one, that waits until it can be sent. */
struct part {
  struct part* next;
  size_t size;
  enum lws_write_protocol how;
  unsigned char bytes[];
};

struct session {
  struct part* first;
  struct part* last;
  /* Of a member of the room. */
  int is_member;
  struct lws* socket;
  struct session* next_member;
  uint32_t tail; /* the first message of the room that it has not been sent */
};

static volatile sig_atomic_t stopped;
static struct lws_context* context;
static struct session* members;
static struct lws_ring* said; /* of struct part*, which the last member to send one frees */

static void on_signal(int number) {
  (void)number;
  stopped = 1;
  lws_cancel_service(context);
}

static struct part* copy(struct lws* socket, const void* bytes, size_t size) {
  struct part* part = malloc(sizeof *part + LWS_PRE + size);
  if (part == NULL) return NULL;
  memcpy(part->bytes + LWS_PRE, bytes, size);
  part->size = size;
  part->next = NULL;
  part->how = (enum lws_write_protocol)lws_write_ws_flags(
      lws_frame_is_binary(socket) ? LWS_WRITE_BINARY : LWS_WRITE_TEXT,
      lws_is_first_fragment(socket), lws_is_final_fragment(socket));
  return part;
}

static int keep(struct lws* socket, struct session* session, const void* bytes, size_t size) {
  struct part* part = copy(socket, bytes, size);
  if (part == NULL) return -1;
  if (session->first == NULL) {
    session->first = part;
  } else {
    session->last->next = part;
  }
  session->last = part;
  lws_callback_on_writable(socket);
  return 0;
}

static int send_next(struct lws* socket, struct session* session) {
  struct part* part = session->first;
  if (part == NULL) return 0;
  const int sent = lws_write(socket, part->bytes + LWS_PRE, part->size, part->how);
  session->first = part->next;
  const int failed = sent < (int)part->size;
  free(part);
  if (session->first != NULL) lws_callback_on_writable(socket);
  return failed ? -1 : 0;
}

static void free_said(void* element) { free(*(struct part**)element); }

static void join_if_asked(struct lws* socket, struct session* session) {
  char path[32];
  if (lws_hdr_copy(socket, path, sizeof path, WSI_TOKEN_GET_URI) <= 0 ||
      strcmp(path, "/ws/room") != 0)
    return;
  session->is_member = 1;
  session->socket = socket;
  lws_ll_fwd_insert(session, next_member, members);
  session->tail = lws_ring_get_oldest_tail(said); /* what was said before is not for this one */
  lws_ring_consume(said, &session->tail, NULL,
                   lws_ring_get_count_waiting_elements(said, &session->tail));
}

static void has_heard(struct session* session, size_t count) {
  lws_ring_consume_and_update_oldest_tail(said, struct session, &session->tail, count, members,
                                          tail, next_member);
}

static void leave(struct session* session) {
  has_heard(session, lws_ring_get_count_waiting_elements(said, &session->tail));
  lws_ll_fwd_remove(struct session, next_member, session, members);
}

static int say_to_all(struct lws* socket, const void* bytes, size_t size) {
  /* Parts of several speakers' messages would mix. */
  if (!lws_is_first_fragment(socket) || !lws_is_final_fragment(socket)) return -1;
  struct part* part = copy(socket, bytes, size);
  if (part == NULL) return -1;
  if (lws_ring_insert(said, &part, 1) != 1) { /* somebody is so far behind that it is full */
    free(part);
    return 0;
  }
  lws_start_foreach_ll(struct session*, member, members) {
    lws_callback_on_writable(member->socket);
  }
  lws_end_foreach_ll(member, next_member);
  return 0;
}

static int hear_next(struct lws* socket, struct session* session) {
  struct part* const* next = lws_ring_get_element(said, &session->tail);
  if (next == NULL) return 0;
  struct part* part = *next;
  const int failed =
      lws_write(socket, part->bytes + LWS_PRE, part->size, part->how) < (int)part->size;
  has_heard(session, 1);
  if (lws_ring_get_element(said, &session->tail) != NULL) lws_callback_on_writable(socket);
  return failed ? -1 : 0;
}

static int on_event(struct lws* socket, enum lws_callback_reasons why, void* user, void* bytes,
                    size_t size) {
  struct session* session = user;
  switch (why) {
    case LWS_CALLBACK_ESTABLISHED:
      join_if_asked(socket, session);
      return 0;
    case LWS_CALLBACK_RECEIVE:
      return session->is_member ? say_to_all(socket, bytes, size)
                                : keep(socket, session, bytes, size);
    case LWS_CALLBACK_SERVER_WRITEABLE:
      return session->is_member ? hear_next(socket, session) : send_next(socket, session);
    case LWS_CALLBACK_CLOSED:
      if (session->is_member) leave(session);
      while (session->first != NULL) {
        struct part* next = session->first->next;
        free(session->first);
        session->first = next;
      }
      return 0;
    default:
      return 0;
  }
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  static const struct lws_protocols protocols[] = {
      {"echo", on_event, sizeof(struct session), 65536 + 64, 0, NULL, 0},
      {NULL, NULL, 0, 0, 0, NULL, 0}};
  lws_set_log_level(LLL_ERR, NULL);
  struct lws_context_creation_info info;
  memset(&info, 0, sizeof info);
  info.port = atoi(argv[1]);
  info.iface = "127.0.0.1";
  info.protocols = protocols;
  info.pt_serv_buf_size = 65536 + 64;
  info.options = LWS_SERVER_OPTION_DISABLE_IPV6;
  said = lws_ring_create(sizeof(struct part*), 256, free_said);
  context = lws_create_context(&info);
  if (context == NULL || said == NULL) return 1;
  signal(SIGTERM, on_signal);
  signal(SIGINT, on_signal);
  while (!stopped && lws_service(context, 0) >= 0) {
  }
  lws_context_destroy(context);
  lws_ring_destroy(said);
  return 0;
}
