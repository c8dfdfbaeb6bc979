// Echoes and a room with ws, the WebSocket library of Node. Its README: messages are not compressed
// unless asked for (perMessageDeflate), a payload that is sent back needs no copy, a broadcast is a
// send to each of the server's clients, and servers on several paths share an HTTP server.
import http from "node:http";
import { createRequire } from "node:module";

// Debian's package, also for a node that is not Debian's.
const { WebSocket, WebSocketServer } = createRequire(import.meta.url)("/usr/share/nodejs/ws");

const options = { noServer: true, perMessageDeflate: false, maxPayload: 16 << 20 };

const echo = new WebSocketServer(options);
echo.on("connection", (socket) => {
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
});

const room = new WebSocketServer(options);
room.on("connection", (socket) => {
  socket.on("message", (data, isBinary) => {
    room.clients.forEach((client) => {
      if (client.readyState === WebSocket.OPEN) client.send(data, { binary: isBinary });
    });
  });
});

const server = http.createServer((req, res) => res.writeHead(426).end());
server.on("upgrade", (req, socket, head) => {
  const one = req.url === "/ws/room" ? room : echo;
  one.handleUpgrade(req, socket, head, (opened) => one.emit("connection", opened, req));
});
server.listen(Number(process.argv[2]), "127.0.0.1", 4096);
