// Node's own HTTP client against the benchmark target: agent.mjs ORIGIN REQUESTS
//
// Thousands of requests over a few kept connections, bodies of many sizes both ways, whole and in
// chunks, then clients that leave in the middle; in the end everything must still be right.
import assert from "node:assert/strict";
import http from "node:http";

const origin = process.argv[2];
const requests = Number(process.argv[3]);
const sockets = 8;
const MiB = 1 << 20;

// A small generator of numbers, so that a failure can be repeated.
let seed = 12345;
const random = (below) => {
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
};

const agent = new http.Agent({ keepAlive: true, maxSockets: sockets });
const ports = new Set();

const ask = (path, { method = "GET", body, chunked = false } = {}) =>
  new Promise((resolve, reject) => {
    const headers = body && !chunked ? { "content-length": body.length } : {};
    const request = http.request(origin + path, { agent, method, headers }, (response) => {
      ports.add(response.socket.localPort);
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => {
        const { statusCode: status, headers } = response;
        resolve({ status, headers, body: Buffer.concat(parts) });
      });
    });
    request.on("error", reject);
    if (!body) return request.end();
    if (!chunked) return request.end(body);
    const cut = random(body.length);
    request.write(body.subarray(0, cut));
    setImmediate(() => request.end(body.subarray(cut)));
  });

const sizes = [1, 2, 13, 100, 1000, 4095, 4096, 4097, 8192, 16383, 16384, 16385, 65536, 200_000];
const noise = Buffer.from(Array.from({ length: MiB }, () => random(256)));

const one = async (i) => {
  switch (i % 6) {
    case 0: {
      const { status, body } = await ask("/plaintext");
      assert.equal(status, 200);
      return assert.equal(body.toString(), "Hello, World!");
    }
    case 1: {
      const { body, headers } = await ask("/json");
      assert.match(headers["content-type"], /^application\/json/);
      return assert.deepEqual(JSON.parse(body), { message: "Hello, World!" });
    }
    case 2:
      return assert.deepEqual(JSON.parse((await ask(`/users/${i}`)).body), { id: i });
    case 3: {
      const { status, headers, body } = await ask("/plaintext", { method: "HEAD" });
      return assert.deepEqual([status, headers["content-length"], body.length], [200, "13", 0]);
    }
    default: {
      // Mostly small ones, now and then a whole MiB.
      const size = i % 500 === 4 ? MiB : sizes[random(sizes.length)];
      const from = random(MiB - size + 1);
      const sent = noise.subarray(from, from + size);
      const chunked = i % 6 === 5;
      const { status, body } = await ask("/echo", { method: "POST", body: sent, chunked });
      assert.equal(status, 200);
      return assert.ok(sent.equals(body), `request ${i}: ${size} bytes came back changed`);
    }
  }
};

const many = async (count, first = 0) => {
  let next = first;
  const worker = async () => {
    while (next < first + count) await one(next++);
  };
  await Promise.all(Array.from({ length: sockets * 2 }, worker));
};

// Leaves in the middle of sending a body, of waiting, or of reading an answer.
const leave = (i) =>
  new Promise((resolve) => {
    const path = i % 3 === 2 ? `/bytes/${MiB}` : "/echo";
    const method = i % 3 === 2 ? "GET" : "POST";
    const headers = method === "POST" ? { "content-length": MiB } : {};
    const request = http.request(origin + path, { agent: false, method, headers });
    request.on("error", () => {});
    request.on("close", resolve);
    request.on("response", (response) => {
      response.on("error", () => {});
      response.once("data", () => request.destroy());
    });
    if (i % 3 === 0) request.write(noise.subarray(0, 1 + random(MiB - 1)), () => request.destroy());
    if (i % 3 === 1) request.end(noise, () => request.destroy());
    if (i % 3 === 2) request.end();
  });

await many(requests);
assert.ok(ports.size <= sockets, `${ports.size} connections, where ${sockets} were to be kept`);
console.log(`${requests} requests over ${ports.size} connections`);

const leavers = Math.max(30, requests / 20);
for (let i = 0; i < leavers; i += 10)
  await Promise.all(Array.from({ length: 10 }, (_, k) => leave(i + k)));
await many(requests / 10, requests);
console.log(`${leavers} clients left in the middle, and ${requests / 10} requests after them`);
agent.destroy();
