// The package `ws`, as tests like to have it: what comes waits in a queue until it is asked for.
// Debian's node-ws lies where only Debian's own node looks for it.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const find = () => {
  for (const name of ["ws", "/usr/share/nodejs/ws"]) {
    try {
      return require(name);
    } catch (problem) {
      if (problem.code !== "MODULE_NOT_FOUND") throw problem;
    }
  }
  console.log("the package ws is not installed (node-ws on Debian)");
  process.exit(77);
};
const { WebSocket } = find();

const patience = 60_000;  // milliseconds; a test that waits longer waits for nothing

const within = (promise, what) => {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came: ${what()}`)), patience);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

class Client {
  pongs = [];
  #socket;
  #messages = [];
  #wake = () => {};
  #closed;

  constructor(socket) {
    this.#socket = socket;
    socket.on("message", (data, isBinary) => {
      this.#messages.push({ data, isBinary });
      this.#wake();
    });
    socket.on("pong", (payload) => {
      this.pongs.push(payload);
      this.#wake();
    });
    socket.on("error", () => {});  // what counts is the code that it is closed with
    this.#closed = new Promise((resolve) => {
      socket.on("close", (code, reason) => {
        this.end = { code, reason: reason.toString() };
        resolve(this.end);
        this.#wake();
      });
    });
  }

  get extensions() {
    return this.#socket.extensions;
  }
  get bufferedAmount() {
    return this.#socket.bufferedAmount;
  }

  send(data, options) {
    this.#socket.send(data, options, () => {});
  }
  ping(payload) {
    this.#socket.ping(payload);
  }
  terminate() {
    this.#socket.terminate();
  }
  /// Closes. Gives the code and the reason that came back.
  close(code, reason) {
    this.#socket.close(code, reason);
    return this.closed(`the answer to a close with ${code}`);
  }
  /// The code and the reason that it was closed with.
  closed(what) {
    return within(this.#closed, () => what);
  }

  /// Until what was sent is with the kernel.
  async flushed() {
    while (this.bufferedAmount !== 0) await new Promise(setImmediate);
  }

  async #until(has, what) {
    while (!has()) {
      if (this.end) throw new Error(`closed instead of ${what}: ${JSON.stringify(this.end)}`);
      await within(new Promise((resolve) => (this.#wake = resolve)), () => what);
    }
  }
  async next() {
    await this.#until(() => this.#messages.length !== 0, "a message");
    return this.#messages.shift();
  }
  heardPongs(count) {
    return this.#until(() => this.pongs.length >= count, `${count} pongs`);
  }
}

/// Opens one; fails when it does not become one.
export const open = (url, options = {}) => {
  const socket = new WebSocket(url, options);
  const client = new Client(socket);
  const opened = new Promise((resolve, reject) => {
    socket.on("open", () => resolve(client));
    socket.on("error", reject);
  });
  return within(opened, () => `${url} does not open`);
};

/// Opens many, fifty at a time.
export const openMany = async (count, one) => {
  const clients = [];
  while (clients.length < count) {
    const some = Math.min(50, count - clients.length);
    clients.push(...(await Promise.all(Array.from({ length: some }, one))));
  }
  return clients;
};
