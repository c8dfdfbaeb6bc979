/* libmicrohttpd. As its manual recommends for speed on one core: epoll, MHD_USE_TURBO, and responses
   that are made once and only counted. The loop is ours (its "external event loop", by MHD_run),
   because the library's own one stops for ever when exactly 128 connections, or a multiple, are
   ready at once (seen with 0.9.75): it then waits a second time for events that it already has. */
#include <microhttpd.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char alphabet[1 << 20];
static struct MHD_Response* plaintext;
static struct MHD_Response* json;

/* A body that is gathered until it is whole. */
struct body {
  char* bytes;
  size_t size;
};

static struct MHD_Response* with_type(struct MHD_Response* response, const char* type) {
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
  return response;
}

static enum MHD_Result send_and_drop(struct MHD_Connection* to, struct MHD_Response* response) {
  const enum MHD_Result sent = MHD_queue_response(to, MHD_HTTP_OK, response);
  MHD_destroy_response(response);
  return sent;
}

static enum MHD_Result echo(struct MHD_Connection* to, const char* part, size_t* part_size,
                            struct body* body) {
  if (*part_size != 0) {
    char* grown = realloc(body->bytes, body->size + *part_size);
    if (grown == NULL) return MHD_NO;
    memcpy(grown + body->size, part, *part_size);
    body->bytes = grown;
    body->size += *part_size;
    *part_size = 0;
    return MHD_YES;
  }
  struct MHD_Response* response =
      MHD_create_response_from_buffer(body->size, body->bytes, MHD_RESPMEM_MUST_FREE);
  body->bytes = NULL;
  return send_and_drop(to, with_type(response, "application/octet-stream"));
}

static enum MHD_Result not_found(struct MHD_Connection* to) {
  struct MHD_Response* empty = MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
  const enum MHD_Result sent = MHD_queue_response(to, MHD_HTTP_NOT_FOUND, empty);
  MHD_destroy_response(empty);
  return sent;
}

static enum MHD_Result on_request(void* context, struct MHD_Connection* to, const char* path,
                                  const char* method, const char* version, const char* part,
                                  size_t* part_size, void** state) {
  (void)context, (void)version, (void)method;
  if (*state == NULL) { /* the head has come; an answer now would cut off the body */
    *state = calloc(1, sizeof(struct body));
    return *state == NULL ? MHD_NO : MHD_YES;
  }
  if (strcmp(path, "/plaintext") == 0) return MHD_queue_response(to, MHD_HTTP_OK, plaintext);
  if (strcmp(path, "/json") == 0) return MHD_queue_response(to, MHD_HTTP_OK, json);
  if (strcmp(path, "/echo") == 0) return echo(to, part, part_size, *state);
  if (strncmp(path, "/api/resource_", 14) == 0 && strlen(path) > 17) {
    /* The library has no router: the two digits tell a hundred routes apart. */
    const char* id = path + 17;
    if (strtoul(path + 14, NULL, 10) >= 100) return not_found(to);
    return send_and_drop(
        to, with_type(MHD_create_response_from_buffer(strlen(id), (void*)id, MHD_RESPMEM_MUST_COPY),
                      "text/plain; charset=utf-8"));
  }
  if (strncmp(path, "/bytes/", 7) == 0) {
    const unsigned long count = strtoul(path + 7, NULL, 10);
    if (count > sizeof alphabet) return not_found(to);
    return send_and_drop(
        to, with_type(MHD_create_response_from_buffer(count, alphabet, MHD_RESPMEM_PERSISTENT),
                      "application/octet-stream"));
  }
  return not_found(to);
}

static void on_completed(void* context, struct MHD_Connection* connection, void** state,
                         enum MHD_RequestTerminationCode why) {
  (void)context, (void)connection, (void)why;
  struct body* body = *state;
  if (body != NULL) free(body->bytes);
  free(body);
  *state = NULL;
}

static volatile sig_atomic_t stopped;

static void on_signal(int number) {
  (void)number;
  stopped = 1;
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  static char hello[] = "Hello, World!";
  static char message[] = "{\"message\":\"Hello, World!\"}";
  for (size_t i = 0; i < sizeof alphabet; ++i) alphabet[i] = (char)('a' + i % 26);
  plaintext =
      with_type(MHD_create_response_from_buffer(sizeof hello - 1, hello, MHD_RESPMEM_PERSISTENT),
                "text/plain; charset=utf-8");
  json = with_type(
      MHD_create_response_from_buffer(sizeof message - 1, message, MHD_RESPMEM_PERSISTENT),
      "application/json");
  signal(SIGTERM, on_signal);
  signal(SIGINT, on_signal);
  struct MHD_Daemon* daemon = MHD_start_daemon(
      MHD_USE_EPOLL | MHD_USE_TURBO, (uint16_t)atoi(argv[1]), NULL, NULL, on_request, NULL,
      MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_CONNECTION_LIMIT, 4096U,
      MHD_OPTION_CONNECTION_TIMEOUT, 60U, MHD_OPTION_LISTEN_BACKLOG_SIZE, 4096U,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)(128 * 1024), MHD_OPTION_LISTENING_ADDRESS_REUSE,
      1U, MHD_OPTION_END);
  if (daemon == NULL) {
    fprintf(stderr, "microhttpd: it does not start\n");
    return 1;
  }
  const union MHD_DaemonInfo* info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
  struct pollfd ready = {info->epoll_fd, POLLIN, 0};
  while (!stopped) {
    MHD_UNSIGNED_LONG_LONG wait_ms = 1000;
    if (MHD_get_timeout(daemon, &wait_ms) != MHD_YES || wait_ms > 1000) wait_ms = 1000;
    poll(&ready, 1, (int)wait_ms);
    MHD_run(daemon);
  }
  MHD_stop_daemon(daemon);
  return 0;
}
