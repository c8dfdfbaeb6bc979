// Node's own HTTP server, without a framework. As its documentation has it: one process that is
// pinned to one core, so no cluster; answers of one piece with their Content-Length, by end().
import http from "node:http";
import { Buffer } from "node:buffer";

const port = Number(process.argv[2]);
const hello = Buffer.from("Hello, World!");
const alphabet = Buffer.alloc(1 << 20);
for (let i = 0; i < alphabet.length; ++i) alphabet[i] = 97 + (i % 26);

const routes = new Map();
for (let i = 0; i < 100; ++i) routes.set(`resource_${String(i).padStart(2, "0")}`, true);

function send(res, type, body) {
  res.writeHead(200, { "Content-Type": type, "Content-Length": body.length });
  res.end(body);
}

function echo(req, res) {
  const parts = [];
  req.on("data", (part) => parts.push(part));
  req.on("end", () => send(res, "application/octet-stream", Buffer.concat(parts)));
}

const server = http.createServer((req, res) => {
  const path = req.url;
  if (path === "/plaintext") return send(res, "text/plain; charset=utf-8", hello);
  if (path === "/json")
    return send(res, "application/json", Buffer.from(JSON.stringify({ message: "Hello, World!" })));
  if (path === "/echo") return echo(req, res);
  const [, first, second, third] = path.split("/");
  if (first === "api" && routes.has(second))
    return send(res, "text/plain; charset=utf-8", Buffer.from(third));
  if (first === "bytes") {
    const count = Number(second);
    return send(res, "application/octet-stream", alphabet.subarray(0, count));
  }
  res.writeHead(404).end();
});
server.keepAliveTimeout = 60_000;
server.listen(port, "127.0.0.1", 4096);
