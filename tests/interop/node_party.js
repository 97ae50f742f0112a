// npm's coap in both roles, driven over standard input and output as aiocoap_party.py is; its path is the argument.
"use strict";

const dgram = require("node:dgram");
const readline = require("node:readline");
const coap = require(process.argv[2]);

const LARGE = Buffer.from(Array.from({ length: 5120 }, (_, index) => index % 256));
const SLOW = 150; // milliseconds; npm's coap acknowledges after 50
const PATIENCE = 10000;

// A socket of ours: an agent's own is closed with the last observation, before its deregistration is sent.
const agent = new coap.Agent({ type: "udp4", socket: dgram.createSocket("udp4") });
const observers = new Set();
let stored = Buffer.from("empty");
let observation = null;
let notifications = [];
let waiting = null;

function change(payload) {
  stored = payload;
  for (const observer of observers) observer.write(stored);
}

function answer(request, response) {
  switch (`${request.method} ${request.url}`) {
    case "GET /hello":
      return response.end("hello");
    case "GET /large":
      return response.end(LARGE);
    case "GET /slow":
      return setTimeout(() => response.end("slow"), SLOW);
    case "GET /store":
      if (request.headers.Observe !== 0) return response.end(stored);
      observers.add(response);
      response.on("finish", () => observers.delete(response));
      return response.write(stored);
    case "PUT /store":
    case "POST /store":
      change(request.payload);
      response.code = "2.04";
      return response.end();
    default:
      response.code = "4.04";
      return response.end();
  }
}

function request(method, uri, payload, { confirmable = true, size = null, observe = false }) {
  return new Promise((resolve, reject) => {
    const { hostname, port, pathname, search } = new URL(uri);
    const sent = coap.request({ method, hostname, port, pathname, query: search.slice(1), confirmable, observe, agent });
    if (size !== null || payload.length > 1024) {
      const exponent = Math.log2(size ?? 1024) - 4;
      sent.setOption(payload.length ? "Block1" : "Block2", Buffer.of(exponent));
    }
    const given_up = setTimeout(() => reject(new Error("no response")), PATIENCE);
    sent.on("response", (response) => (clearTimeout(given_up), resolve(response)));
    sent.on("error", reject);
    sent.end(payload);
  });
}

const functions = {
  serve: (port) => new Promise((resolve) => coap.createServer(answer).listen(port, "127.0.0.1", () => resolve(null))),

  change: (payload) => change(Buffer.from(payload, "hex")),

  async ask(method, uri, payload, confirmable, size) {
    const response = await request(method, uri, Buffer.from(payload, "hex"), { confirmable, size });
    return [response.code, response.payload.toString("hex")];
  },

  async observe(uri) {
    observation = await request("GET", uri, Buffer.alloc(0), { observe: true });
    observation.on("data", (payload) => {
      notifications.push(payload.toString("hex"));
      if (waiting !== null) waiting();
    });
    return functions.next();
  },

  async next() {
    if (!notifications.length) await new Promise((resolve) => (waiting = resolve));
    waiting = null;
    return notifications.shift();
  },

  cancel: () => observation.close(true),
};

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [name, given] = JSON.parse(line);
    let told;
    try {
      told = ["ok", (await functions[name](...given)) ?? null];
    } catch (error) {
      told = ["refused", String(error)];
    }
    process.stdout.write(JSON.stringify(told) + "\n");
  }
  process.exit(0);
})();
