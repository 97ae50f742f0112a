// Draws what /events tells. Everything shown is set as text, never as markup: things choose their own names.
"use strict";

const at = (id) => document.getElementById(id);

function make(tag, text, className) {
  const element = document.createElement(tag);
  if (text !== undefined && text !== null) element.textContent = String(text);
  if (className) element.className = className;
  return element;
}

function fill(id, children, empty) {
  const place = at(id);
  if (!children.length) children = [make(place.tagName === "TBODY" ? "tr" : "li", empty, "quiet")];
  place.replaceChildren(...children);
}

const list = (part) => (Array.isArray(part) ? part : []);
const duration = (seconds) => seconds < 120 ? `${seconds} s` : seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
const time = (iso) => (iso ? new Date(iso).toLocaleTimeString() : "");

const short = (value) => typeof value === "number" ? value.toLocaleString(undefined, { maximumSignificantDigits: 4 }) : value;

// The kill clock of one plane, in microseconds; null while its relying party still accepts.
function clock(value) {
  if (value === undefined) return ["–", "quiet"];
  if (value === null) return ["still accepted", "bad"];
  return [value < 1e6 ? `${(value / 1000).toFixed(value < 1e4 ? 2 : 0)} ms` : `${(value / 1e6).toFixed(2)} s`, "good"];
}

// Requests that were refused, and messages that did not even become one.
const refusals = (status) => Object.entries({ ...status.dropped, ...status.refused });

function drawFigures(status, things) {
  const operational = things.filter((one) => one.state === "operational" && one.restriction === "none").length;
  const refused = refusals(status).reduce((sum, [, count]) => sum + count, 0);
  const ledger = status.ledger || {};
  const rows = [
    [things.length, "things known"],
    [operational, "operational"],
    [refused, "refusals"],
    [ledger.entries ?? "–", "ledger entries"],
    [ledger.signed ?? "–", "under a signed head"],
  ];
  at("figures").replaceChildren(...rows.map(([value, title]) => {
    const box = make("div");
    box.append(make("strong", value), make("span", title));
    return box;
  }));
}

function drawPlanes(status, clocks) {
  const last = clocks[clocks.length - 1];
  at("planes").replaceChildren(...list(status.planes).map((row) => {
    const [text, look] = clock(last && last.details[row.plane]);
    const card = make("article");
    card.append(make("h3", row.plane), make("p", text, `clock ${look}`));
    if (last && row.plane in last.details) card.append(make("p", last.thing, "quiet mono"));
    card.append(make("p", row.owed ? `${row.owed} owed` : "nothing owed", row.owed ? "wait" : "quiet"));
    if (row.mode !== "live") card.append(make("p", row.mode, "wait"));
    return card;
  }));
}

function drawThings(things, telemetry) {
  const latest = new Map(telemetry.map((one) => [one.thing, one.latest]));
  const look = (one) => one.restriction !== "none" ? "bad" : one.state === "operational" ? "good" : "wait";
  fill("things", things.map((one) => {
    const row = make("tr");
    const who = make("td", `${one.maker} ${one.model} ${one.serial}`);
    who.append(make("small", one.thing, "mono"));
    const state = make("td", one.restriction === "none" ? one.state : `${one.state}, ${one.restriction}`, look(one));
    const values = Object.entries(latest.get(one.thing) || {}).map(([name, value]) => `${name} ${short(value)}`);
    const told = make("td", values.join(" · ") || "–");
    row.append(who, state, make("td", one.zone || "–"), make("td", one.version || "–"), told);
    return row;
  }), "No thing has joined yet.");
}

function drawLedger(entries) {
  fill("ledger", [...entries].reverse().map((entry) => {
    const row = make("li");
    const words = [entry.kind, entry.cause, entry.thing].filter(Boolean).join(" · ");
    row.append(make("span", entry.index, "mono"), make("span", time(entry.at)), make("span", words));
    return row;
  }), "The ledger is empty.");
}

function drawRefusals(status) {
  const rows = refusals(status).sort(([, one], [, other]) => other - one);
  fill("refusals", rows.map(([reason, count]) => {
    const row = make("li");
    row.append(make("span", reason), make("span", count));
    return row;
  }), "Nobody was refused.");
}

function link(text, look) {
  at("link").textContent = text;
  at("link").className = `pill ${look}`;
}

function draw(snapshot) {
  const status = snapshot.status.error ? {} : snapshot.status;
  at("domain").textContent = status.domain || "Thingstead";
  at("about").textContent = status.uptime_seconds ? `a security domain, up for ${duration(status.uptime_seconds)}` : "a security domain";
  document.title = status.domain ? `${status.domain} · Thingstead` : "Thingstead";
  drawFigures(status, list(snapshot.things));
  drawPlanes(status, list(snapshot.clocks));
  drawThings(list(snapshot.things), list(snapshot.telemetry));
  drawLedger(list(snapshot.ledger));
  drawRefusals(status);
  const failed = Object.values(snapshot).find((part) => part && part.error);
  link(failed ? failed.error : `live · ${new Date().toLocaleTimeString()}`, failed ? "bad" : "good");
}

const events = new EventSource("/events");
events.addEventListener("snapshot", (event) => draw(JSON.parse(event.data)));
events.addEventListener("error", () => link("no answer; trying again", "wait"));
