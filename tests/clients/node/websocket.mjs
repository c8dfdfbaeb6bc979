// Node's `ws` against the benchmark target: websocket.mjs ORIGIN PATH OFFER DEFLATED [CROWD]
//
// Messages of all sizes, whole and in fragments of all sizes, four of the longest at once, pings,
// closes from both sides and what must be refused.
// OFFER: "deflate" offers permessage-deflate, "small" with the smallest windows and nothing kept
// between messages. DEFLATED: "true" when it has to be accepted. CROWD: how many others are
// connected, who leave no memory for more peers with contexts of their own.
import assert from "node:assert/strict";

import { open, openMany } from "./ws_client.mjs";

const [origin, path, offer, deflated, crowd = "0"] = process.argv.slice(2);
const MiB = 1 << 20;
const longest = 16 * MiB;

// A small generator of numbers, so that a failure can be repeated.
let seed = 12345;
const random = (below) => {
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
};

// Text whose letters have one to four bytes, so that cuts fall within them; and bytes that nothing
// compresses.
const letters = Buffer.from("aé€😀z\n\"\\");
const text = Buffer.alloc(longest, letters);
const noise = Buffer.alloc(longest);
for (let i = 0; i < noise.length; i += 4) noise.writeUInt32LE(random(2 ** 32), i);

/// `size` bytes that are whole letters.
const textOf = (size) => {
  const part = Buffer.alloc(size, "x");
  text.copy(part, 0, 0, size - (size % letters.length));
  return part;
};
const payloadOf = (size, binary) => (binary ? noise.subarray(0, size) : textOf(size));

const offers = {
  deflate: true,
  small: {
    serverMaxWindowBits: 9, clientMaxWindowBits: 9, serverNoContextTakeover: true,
    clientNoContextTakeover: true,
  },
};
const connect = (where = path) =>
  open(origin + where, { perMessageDeflate: offers[offer] ?? false });

const expectEcho = async (client, sent, binary, what) => {
  const { data, isBinary } = await client.next();
  assert.equal(isBinary, binary, `${what}: text and binary are mixed up`);
  assert.equal(data.length, sent.length, `${what}: another length came back`);
  assert.ok(sent.equals(data), `${what}: ${sent.length} bytes came back changed`);
};

const sizes = [
  0, 1, 2, 3, 7, 125, 126, 127, 128, 1000, 4088, 4095, 4096, 4097, 16_000, 16_370, 16_383, 16_384,
  16_385, 65_535, 65_536, 65_537, MiB - 10, MiB - 9, MiB, MiB + 1, 5_000_000, longest - 1, longest,
];
const everySize = async () => {
  const client = await connect();
  assert.equal(client.extensions !== "", deflated === "true", `extensions: ${client.extensions}`);
  for (const binary of [false, true]) {
    for (const size of sizes) {
      const sent = payloadOf(size, binary);
      client.send(sent, { binary });
      await expectEcho(client, sent, binary, `a message of ${size}`);
    }
  }
  assert.deepEqual(await client.close(1000), { code: 1000, reason: "" });
};

// Bytes of a message, and of each of its fragments; 0: any length, none at all too.
const classes = [
  [4 * MiB, 64], [65_536, 1], [MiB, 125], [MiB, 126], [MiB, 127], [MiB, 1000], [MiB, 4096],
  [4 * MiB, 16_384], [4 * MiB, 65_535], [4 * MiB, 65_536], [longest, MiB], [longest, 5_000_000],
  [MiB, 0],
];
const fragmented = async () => {
  const client = await connect();
  let pings = 0;
  // A compressed message is so as a whole; ws needs its time for that, and small pieces are many.
  const plain = classes.map(([size, piece]) => [size, piece, false]);
  const large = classes.filter(([, piece]) => piece === 0 || piece >= 1000);
  const compressed = large.map(([size, piece]) => [size, piece, true]);
  const runs = deflated === "true" ? [...plain, ...compressed] : plain;
  for (const binary of [false, true]) {
    for (const [size, piece, compress] of runs) {
      const sent = payloadOf(size, binary);
      let count = 0;
      for (let at = 0; at < size || count === 0; ++count) {
        const end = Math.min(size, at + (piece || random(3) * random(2000)));
        client.send(sent.subarray(at, end), { binary, fin: end === size, compress });
        at = end;
        if (count % 1000 === 999) client.ping(Buffer.from(`${++pings}`));
        if (client.bufferedAmount > MiB) await client.flushed();
      }
      await expectEcho(client, sent, binary, `${count} fragments of ${piece}`);
    }
  }
  const expected = Array.from({ length: pings }, (_, i) => `${i + 1}`);
  await client.heardPongs(pings);
  assert.deepEqual(client.pongs.map(String), expected, "pongs for pings between fragments");
  await client.close(1000);
};

const fourAtOnce = async () => {
  const clients = await openMany(4, () => connect());
  const one = async (client, i) => {
    const sent = Buffer.from(payloadOf(longest, i % 2 === 0));
    if (i % 2 === 0) sent[i] ^= 0xff;
    for (let round = 0; round < 2; ++round) {
      client.send(sent, { binary: i % 2 === 0 });
      await expectEcho(client, sent, i % 2 === 0, `the longest message of client ${i}`);
    }
    await client.close(1000);
  };
  await Promise.all(clients.map(one));
};

// Without waiting for the answers.
const pipelined = async () => {
  const client = await connect();
  const sent = [];
  for (let i = 0; i < 5000; ++i) {
    const binary = i % 3 === 0;
    const at = binary ? random(1000) : 0;
    const size = random(i % 100 === 0 ? 30_000 : 300);
    const payload = binary ? noise.subarray(at, at + size) : textOf(size);
    sent.push([payload, binary]);
    client.send(payload, { binary });
  }
  for (const [i, [payload, binary]] of sent.entries())
    await expectEcho(client, payload, binary, `message ${i} of many`);
  await client.close(1000);
};

const pings = async () => {
  const client = await connect();
  const payloads = [0, 1, 2, 64, 124, 125].map((size) => noise.subarray(0, size));
  for (const payload of payloads) client.ping(payload);
  await client.heardPongs(payloads.length);
  assert.deepEqual(client.pongs, payloads);
  client.send("still there");
  await expectEcho(client, Buffer.from("still there"), false, "behind pings");
  client.terminate();
};

const closes = async () => {
  // From here: the same code comes back. 1005: a close frame without a code.
  for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 1014, 3000, 4999])
    assert.equal((await (await connect()).close(code, "a reason é")).code, code);
  assert.equal((await (await connect()).close()).code, 1005);
  // From there.
  for (const code of [1000, 1001, 1003, 1008, 1011, 1013, 3000, 4999]) {
    const client = await connect(`/ws/close/${code}`);
    assert.deepEqual(await client.closed(`a close with ${code}`), { code, reason: "as you asked" });
  }
  // Nobody says these in a frame.
  for (const code of [0, 999, 1005, 1006, 1015, 5000])
    assert.equal((await (await connect(`/ws/close/${code}`)).closed("a close")).code, 1008);
};

// Each is a list of frames.
const refused = async () => {
  const long = Buffer.alloc(longest + 1);
  const cases = [
    ["text that is no UTF-8", 1007, false, [Buffer.from([0x61, 0xff, 0x62])]],
    ["text that ends in a letter", 1007, false, [Buffer.from([0x61, 0xe2]), Buffer.from([0x82])]],
    ["one byte too long", 1009, true, [long]],
    ["fragments that are too long together", 1009, true, [long.subarray(1), long.subarray(0, 1)]],
  ];
  for (const [what, code, binary, frames] of cases) {
    // Compressed, a message of zeros is too long only when it is inflated.
    for (const compress of deflated === "true" ? [false, true] : [false]) {
      const client = await connect();
      for (const [i, frame] of frames.entries())
        client.send(frame, { binary, fin: i + 1 === frames.length, compress });
      assert.equal((await client.closed(what)).code, code, what);
    }
  }
};

const others = await openMany(Number(crowd), () => connect());
const all = [everySize, fragmented, fourAtOnce, pipelined, pings, closes, refused];
const onlyCompression = [everySize, pipelined];
for (const part of offer === "small" || others.length !== 0 ? onlyCompression : all) {
  const begin = performance.now();
  await part();
  const seconds = (performance.now() - begin) / 1000;
  console.log(`${path}, offering ${offer}: ${part.name} in ${seconds.toFixed(2)} s`);
}
for (const other of others) other.terminate();
