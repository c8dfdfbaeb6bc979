// Node's `ws` in the room of the benchmark target: room.mjs ORIGIN OFFER CLIENTS BROADCASTS
//
// Everybody hears every broadcast, in order, and nothing else; also when a tenth of them leaves in
// between, by a close or by vanishing.
// OFFER: who offers permessage-deflate, "deflate" (all), "mixed" (every other one) or "nothing".
import assert from "node:assert/strict";

import { open, openMany } from "./ws_client.mjs";

const [origin, offer, ...counts] = process.argv.slice(2);
const [clients, broadcasts] = counts.map(Number);

const begin = performance.now();
let opened = 0;
let members = await openMany(clients, () => {
  const offers = offer === "deflate" || (offer === "mixed" && ++opened % 2 === 0);
  return open(`${origin}/ws/room`, { perMessageDeflate: offers });
});

const hear = async (expected, binary) => {
  await Promise.all(members.map(async (member, i) => {
    const { data, isBinary } = await member.next();
    assert.equal(data.toString(), expected, `member ${i} heard something else`);
    assert.equal(isBinary, binary);
  }));
};
const say = async (number) => {
  const message = `${number} ${"é".repeat((number * 37) % 1500)}`;
  members[number % members.length].send(message, { binary: number % 2 === 1 });
  return message;
};

// One by one, each heard by all before the next.
for (let i = 0; i < broadcasts / 2; ++i) await hear(await say(i), i % 2 === 1);

// All at once by one member: the order is his.
const sent = Array.from({ length: broadcasts / 2 }, (_, i) => `burst ${i}`);
for (const message of sent) members[0].send(message);
for (const message of sent) await hear(message, false);
const seconds = (performance.now() - begin) / 1000;
console.log(`${clients} members heard ${broadcasts} broadcasts in ${seconds.toFixed(2)} s`);

const tenth = Math.floor(clients / 10);
await Promise.all(members.slice(0, tenth).map((member, i) =>
  i % 2 === 0 ? member.close(1000) : (member.terminate(), member.closed("the end"))));
members = members.slice(tenth);
for (let i = 0; i < 10; ++i) await hear(await say(i), i % 2 === 1);
await Promise.all(members.map((member) => member.close(1000)));
console.log(`${tenth} left, the others went on`);
