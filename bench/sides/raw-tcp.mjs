// The same bytes over bare TCP: a server that writes a message to each connection, reads one from each, and begins again;
// or its clients, which answer each message that is complete with one of theirs. The server tells its processor time.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";

const sockets = [];
let server;
let message;

/** Calls back each time that `bytes` more have been read. */
function countMessages(socket, bytes, onMessage) {
  let missing = bytes;
  socket.on("data", (chunk) => {
    for (missing -= chunk.length; missing <= 0; missing += bytes) onMessage(socket);
  });
}

let onMessage = () => undefined;

const requests = {
  async listen({ bytes }) {
    message = Buffer.alloc(bytes, 1);
    server = createServer((socket) => {
      socket.setNoDelay(true);
      sockets.push(socket);
      countMessages(socket, bytes, () => onMessage());
    });
    server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 });
    await once(server, "listening");
    return { port: server.address().port };
  },

  async connect({ port, count, bytes }) {
    message = Buffer.alloc(bytes, 2);
    for (let i = 0; i < count; i++) {
      const socket = connect(port, "127.0.0.1");
      await once(socket, "connect");
      socket.setNoDelay(true);
      countMessages(socket, bytes, () => socket.write(message));
      sockets.push(socket);
    }
    return {};
  },

  /** At most so many rounds and seconds with `count` clients, but one round. */
  async exchange({ count, rounds, seconds }) {
    while (sockets.length < count) await once(server, "connection");
    await round();
    const before = process.cpuUsage();
    const start = performance.now();
    let done = 0;
    for (; done < rounds && (done === 0 || performance.now() - start < 1000 * seconds); done++) await round();
    const { user, system } = process.cpuUsage(before);
    return { rounds: done, cpuSeconds: (user + system) / 1e6, bytes: 2 * done * sockets.length * message.length };
  },
};

function round() {
  return new Promise((resolve) => {
    let missing = sockets.length;
    onMessage = () => {
      if (--missing === 0) resolve();
    };
    for (const socket of sockets) socket.write(message);
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  const { type, ...request } = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await requests[type](request))}\n`);
}
process.exit();
