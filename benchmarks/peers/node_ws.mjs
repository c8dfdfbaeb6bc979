// An echo with ws, the WebSocket library of Node. Its README: messages are not compressed unless
// asked for (perMessageDeflate), and a payload that is sent back needs no copy.
import { createRequire } from "node:module";

// Debian's package, also for a node that is not Debian's.
const { WebSocketServer } = createRequire(import.meta.url)("/usr/share/nodejs/ws");

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: Number(process.argv[2]),
  backlog: 4096,
  perMessageDeflate: false,
  maxPayload: 16 << 20,
});
server.on("connection", (socket) => {
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
});
