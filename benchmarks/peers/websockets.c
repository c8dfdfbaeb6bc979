/* An echo with libwebsockets, after the advice of its README files: one service thread, no
   extensions, its default event loop, rx_buffer_size for the messages that come, TCP_NODELAY which
   it sets itself. Sends only when a connection is writeable, as the library demands. */
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
};

static volatile sig_atomic_t stopped;
static struct lws_context* context;

static void on_signal(int number) {
  (void)number;
  stopped = 1;
  lws_cancel_service(context);
}

static int keep(struct lws* socket, struct session* session, const void* bytes, size_t size) {
  struct part* part = malloc(sizeof *part + LWS_PRE + size);
  if (part == NULL) return -1;
  memcpy(part->bytes + LWS_PRE, bytes, size);
  part->size = size;
  part->next = NULL;
  part->how = (enum lws_write_protocol)lws_write_ws_flags(
      lws_frame_is_binary(socket) ? LWS_WRITE_BINARY : LWS_WRITE_TEXT,
      lws_is_first_fragment(socket), lws_is_final_fragment(socket));
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

static int on_event(struct lws* socket, enum lws_callback_reasons why, void* user, void* bytes,
                    size_t size) {
  struct session* session = user;
  switch (why) {
    case LWS_CALLBACK_RECEIVE:
      return keep(socket, session, bytes, size);
    case LWS_CALLBACK_SERVER_WRITEABLE:
      return send_next(socket, session);
    case LWS_CALLBACK_CLOSED:
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
  context = lws_create_context(&info);
  if (context == NULL) return 1;
  signal(SIGTERM, on_signal);
  signal(SIGINT, on_signal);
  while (!stopped && lws_service(context, 0) >= 0) {
  }
  lws_context_destroy(context);
  return 0;
}
