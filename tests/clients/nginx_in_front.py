"""nginx as reverse proxy, as it is by default (it gathers bodies) and passing all on at once."""

import os
import signal

from lib_proxy import CLIENTS, sockets_to, test_behind

# A failed request is not tried again: nothing may be lost on the way to the server.
CONFIGURATION = """
daemon off;
worker_processes 2;
pid {folder}/pid;
error_log {folder}/error.log warn;
%(user)s
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_max_body_size 2m;
  keepalive_requests 1000000;
  upstream target {
    server 127.0.0.1:{server_port} max_fails=0;
    keepalive %(connections)d;
    keepalive_requests 1000000;
  }
  server {
    listen 127.0.0.1:{port};
    location / {
      proxy_pass http://target;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_next_upstream off;
      %(more)s
    }
  }
}
"""


def configuration(more):
    # The workers of a master that root has started are somebody who may not see the folder.
    user = "user root;" if os.geteuid() == 0 else ""
    return CONFIGURATION % {"user": user, "connections": CLIENTS, "more": more}


test_behind(["nginx", "-e", "stderr", "-c"],
            [("nginx", configuration("")),
             ("nginx without buffers",
              configuration("proxy_request_buffering off; proxy_buffering off;"))],
            signal.SIGQUIT, lambda proxy, server: sockets_to(server))
