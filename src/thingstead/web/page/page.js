// Draws what /events tells. Everything shown is set as text, never as markup: things choose their own names.
"use strict";

const at = (id) => document.getElementById(id);
const list = (part) => (Array.isArray(part) ? part : []);

// --- drawing: what is there already is changed in place, so that nothing jumps, loses focus or is read out twice

function put(element, text, className) {
  const shown = String(text ?? "");
  if (element.textContent !== shown) element.textContent = shown;
  if (className !== undefined && element.className !== className) element.className = className;
}

// Give `place` one child per row, in the order of rows; a row is known again by its key.
function draw(place, rows, key, build, update) {
  const known = new Map([...place.children].map((child) => [child.dataset.key, child]));
  const children = rows.map((row) => {
    const name = String(key(row));
    const child = known.get(name) || build(row);
    child.dataset.key = name;
    update(child, row);
    return child;
  });
  if (children.length !== place.children.length || children.some((child, index) => child !== place.children[index])) {
    place.replaceChildren(...children);
  }
}

// One element with so many children of a kind.
function built(tag, parts) {
  const element = document.createElement(tag);
  element.append(...parts.map((part) => document.createElement(part)));
  return element;
}

// Rows of a table: `cells` gives [text, class, small text] under each of `titles`.
function table(id, titles, rows, key, cells, empty) {
  const place = at(id);
  if (!rows.length) {
    draw(place, [empty], () => "empty", () => tableRow([""]), (row) => {
      row.firstChild.colSpan = titles.length;
      put(row.firstChild.firstChild, empty, "quiet");
    });
    return;
  }
  draw(place, rows, key, () => tableRow(titles), (row, one) => {
    cells(one).forEach(([text, look, small], index) => {
      put(row.children[index].firstChild, text, look || "");
      put(row.children[index].lastChild, small || "");
    });
  });
}

function tableRow(titles) {
  const row = document.createElement("tr");
  row.setAttribute("role", "row");
  row.append(...titles.map((title, index) => {
    const cell = built(index ? "td" : "th", ["span", "small"]);
    cell.setAttribute("role", index ? "cell" : "rowheader");
    cell.dataset.title = title;
    return cell;
  }));
  return row;
}

// --- words and figures

const duration = (seconds) => seconds < 120 ? `${seconds} s` : seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
const time = (iso) => new Date(iso).toLocaleTimeString("en-GB");
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

const SCALES = [[1e12, "\u00a0T"], [1e9, "\u00a0G"], [1e6, "\u00a0M"], [1e3, "\u00a0k"]];

function number(value) {
  if (typeof value !== "number") return value;
  const [scale, unit] = SCALES.find(([one]) => Math.abs(value) >= one) || [1, ""];
  // Always three digits, so that a changing figure keeps its width.
  return `${(value / scale).toPrecision(3)}${unit}`;
}

function ago(iso, now) {
  if (!iso) return "–";
  const seconds = Math.max(0, Math.round((now - new Date(iso)) / 1000));
  return seconds < 2 ? "just now" : `${duration(seconds)} ago`;
}

const PLANES = {
  identity: "keys, credentials, vouchers",
  access: "tokens, protected sessions",
  groups: "keys of multicast groups",
  software: "releases, versions",
  network: "packet rules",
  data: "telemetry, privacy",
};

const DEMANDS = { admit: "let it in", restrict: "restricted it", withdraw: "withdrew it" };

const STANDINGS = { good: "what was published", old: "an old release", unknown: "what nobody here published", bad: "not what it should" };

// What an entry of a kind says; `on` is its details.
const SENTENCES = {
  registration: (on) => `became known as ${on.to}`,
  authentication: (on) => `proved to be a ${on.model || "thing"} of ${on.maker || "its maker"}`,
  authorization: (on) => `join decision: ${on.verdict}${on.rule ? `, by the rule “${on.rule}”` : ""}`,
  transition: (on, entry) => `went from ${on.from} to ${on.to} (${entry.cause}), by ${entry.actor}`,
  restriction: (on, entry) => on.to === "none" ? `${on.from} no more, by ${entry.actor}` : `is now ${on.to}, by ${entry.actor}`,
  receipt: (on, entry) => `${plane(entry)} ${DEMANDS[on.demand] || on.demand}: ${on.detail}`,
  failure: (on, entry) => `${plane(entry)} could not do what it owes: ${on.detail || entry.cause}`,
  "kill-clock": (on) => `last accepted ${Object.values(on).includes(null) ? "still now, on some plane" : `${clock(Math.max(0, ...Object.values(on)))[0]} after the decision, on any plane`}`,
  refusal: (on, entry) => `refused: ${REASONS[entry.cause] || entry.cause}${on.count > 1 ? `, ${on.count} times` : ""}`,
  issue: (on, entry) => `${plane(entry)} issued a credential (${entry.cause})`,
  revocation: (on, entry) => `${plane(entry)} revoked a credential (${entry.cause})`,
  group: (on, entry) => `group ${on.group}: ${entry.cause}, ${plural(on.members, "member")}, keys of epoch ${on.num}`,
  release: (on) => `version ${on.version} for ${on.maker} ${on.model} published, ${plural(on.signatures, "signature")}`,
  campaign: (on, entry) => `${on.model} to version ${on.version}: ${on.status} (${entry.cause}), ${plural(on.installed, "thing")} ran it by then`,
  appraisal: (on) => `runs ${STANDINGS[on.standing] || on.standing}${on.version ? `: version ${on.version}` : ""}${on.findings ? ` (${on.findings})` : ""}`,
  installation: (on, entry) => `${entry.cause}: version ${on.version}`,
};

const plane = (entry) => entry.actor.replace(/^plane:(.*)$/, "$1 plane");

const REASONS = {
  attestation: "no evidence that it runs what was published",
  context: "under keys that nobody here has (any more)",
  duplicate: "sent twice, answered once",
  forbidden: "not in the scope of its token",
  freshness: "not proven fresh yet; asked to repeat",
  kid: "keys that are not known",
  malformed: "not a message at all",
  member: "not a member of the group",
  quarantined: "quarantined",
  replay: "seen before",
  retired: "retired for good",
  unauthenticated: "not who it says it is",
  "unknown maker": "made by nobody whom we trust",
  unprotected: "in clear, where only protected is taken",
};

// The kill clock of one plane, in microseconds; null while its relying party still accepts.
function clock(value) {
  if (value === undefined) return ["not measured", "wait"];
  if (value === null) return ["still accepted", "bad"];
  return [value === 0 ? "0 ms" : value < 1e6 ? `${(value / 1000).toFixed(value < 1e4 ? 1 : 0)} ms` : `${(value / 1e6).toFixed(2)} s`, "good"];
}

// Requests that were refused, and messages that did not even become one.
function refusals(status) {
  const counts = { ...status.dropped };
  for (const [reason, count] of Object.entries(status.refused || {})) counts[reason] = (counts[reason] || 0) + count;
  return Object.entries(counts).sort(([, one], [, other]) => other - one);
}

// --- the parts of the page

function drawFigures(status, things) {
  const operational = things.filter((one) => one.state === "operational" && one.restriction === "none").length;
  const ledger = status.ledger || {};
  const rows = [
    ["things known", things.length],
    ["in operation", operational],
    ["refused", refusals(status).reduce((sum, [, count]) => sum + count, 0)],
    ["ledger entries", ledger.entries ?? "–"],
    ["of them signed for", ledger.signed ?? "–"],
  ];
  draw(at("figures"), rows, ([title]) => title, () => built("div", ["dt", "dd"]), (box, [title, value]) => {
    put(box.firstChild, title);
    put(box.lastChild, value);
  });
}

function drawPlanes(status) {
  draw(at("planes"), list(status.planes), (row) => row.plane, () => built("li", ["h3", "p", "p", "p"]), (card, row) => {
    const live = row.mode === "live";
    put(card.children[0], row.plane);
    put(card.children[1], PLANES[row.plane] || "", "quiet");
    put(card.children[2], live ? "live" : row.mode.replace("_", " "), live ? "good" : "wait");
    put(card.children[3], row.owed ? `${row.owed} still to do` : "nothing left to do", row.owed ? "wait" : "quiet");
  });
}

function drawThings(things, telemetry, now) {
  const latest = new Map(telemetry.map((one) => [one.thing, one.latest]));
  const out = (one) => (one.state === "decommissioned" || one.state === "transferred" ? 1 : 0);
  const sorted = [...things].sort((one, other) => out(one) - out(other) || `${one.maker} ${one.serial}`.localeCompare(`${other.maker} ${other.serial}`));
  const titles = ["Thing", "State", "Zone", "Software", "Last heard", "Last telemetry"];
  table("things", titles, sorted, (one) => one.thing, (one) => {
    const free = one.restriction === "none";
    const look = !free ? "bad" : one.state === "operational" ? "good" : "wait";
    const values = Object.entries(latest.get(one.thing) || {}).map(([name, value]) => `${name}\u00a0${number(value)}`);
    return [
      [`${one.maker} ${one.serial}`, "", one.thing],
      [free ? one.state : `${one.state}, ${one.restriction}`, look],
      [one.zone || "–"],
      [one.version || "–", one.attestation === "bad" ? "bad" : "", STANDINGS[one.attestation] ? `attests ${STANDINGS[one.attestation]}` : ""],
      [ago(one.last_heard, now), "figure"],
      [values.join(" · ") || "–", "figure"],
    ];
  }, "No thing has joined yet: thingstead factory thing makes one.");
}

const STANDS = { running: "wait", finished: "good", aborted: "bad", paused: "bad", superseded: "" };

// The newest few; all are in `thingstead campaign list`.
function drawCampaigns(campaigns) {
  const titles = ["Release", "Stands", "Stage", "Run it", "Updating", "Trouble"];
  at("campaigns-section").hidden = !campaigns.length;
  table("campaigns", titles, campaigns.slice(0, 8), (one) => `${one.maker} ${one.campaign}`, (one) => {
    const trouble = [[one.failed, "failed"], [one.silent, "silent"]].filter(([count]) => count);
    return [
      [`${one.model} ${one.version}`, "", `${one.maker} ${one.campaign}`],
      [one.status, STANDS[one.status], one.because],
      [one.stage, "figure"],
      [`${one.installed} of ${one.things}`, "figure"],
      [one.offered, "figure"],
      [trouble.map((row) => row.join(" ")).join(", ") || "–", one.failed ? "bad" : ""],
    ];
  }, "");
}

// Commands to be typed; each thing's are folded away until somebody wants them.
function drawNotes(notes) {
  const rows = Object.entries(notes || {}).sort(([one], [other]) => one.localeCompare(other));
  at("notes-section").hidden = !rows.length;
  draw(at("notes"), rows, ([serial]) => serial, noteRow, (row, [serial, told]) => {
    put(row.firstChild.firstChild, serial);
    draw(row.firstChild.lastChild, Object.entries(told), ([title]) => title, () => built("div", ["dt", "dd"]), (box, [title, text]) => {
      put(box.firstChild, title);
      put(box.lastChild, text, "mono");
    });
  });
}

function noteRow() {
  const row = built("li", ["details"]);
  row.firstChild.append(document.createElement("summary"), document.createElement("dl"));
  return row;
}

function drawClocks(clocks, named) {
  const planes = Object.keys(PLANES);
  const titles = ["Thing", ...planes.map((one) => one[0].toUpperCase() + one.slice(1))];
  draw(at("clock-titles"), titles, (title) => title, () => document.createElement("th"), (cell, title) => {
    cell.scope = "col";
    cell.setAttribute("role", "columnheader");
    put(cell, title);
  });
  table("clocks", titles, [...clocks].reverse(), (entry) => entry.index, (entry) => [
    [named(entry.thing), "", `measured at ${time(entry.at)}`],
    ...planes.map((one) => { const [text, look] = clock(entry.details[one]); return [text, `figure ${look}`]; }),
  ], "No thing was quarantined or retired yet.");
}

function drawLedger(entries, named) {
  const rows = [...entries].reverse();
  draw(at("ledger"), rows, (entry) => entry.index, () => built("li", ["span", "time", "span"]), (row, entry) => {
    const said = SENTENCES[entry.kind];
    const words = said ? said(entry.details || {}, entry) : [entry.kind, entry.cause].filter(Boolean).join(": ");
    put(row.children[0], entry.index, "mono");
    put(row.children[1], time(entry.at));
    row.children[1].dateTime = entry.at;
    put(row.children[2], entry.thing ? `${named(entry.thing)}: ${words}` : words);
  });
}

function drawRefusals(status) {
  const rows = refusals(status);
  draw(at("refusals"), rows.length ? rows : [["", ""]], ([reason]) => reason, () => built("li", ["span", "span"]), (row, [reason, count]) => {
    put(row.children[0], reason ? REASONS[reason] || reason.replaceAll("-", " ") : "Nothing was refused.", reason ? "" : "quiet");
    put(row.children[1], count, "figure");
  });
}

function drawAll(snapshot) {
  const status = snapshot.status.error ? {} : snapshot.status;
  const things = list(snapshot.things);
  const names = new Map(things.map((one) => [one.thing, one.serial || one.thing]));
  const named = (thing) => names.get(thing) || thing;
  put(at("domain"), status.domain || "Thingstead");
  put(at("about"), status.uptime_seconds ? `a security domain, up for ${duration(status.uptime_seconds)}` : "a security domain");
  document.title = status.domain ? `${status.domain} · Thingstead` : "Thingstead";
  drawFigures(status, things);
  drawPlanes(status);
  drawThings(things, list(snapshot.telemetry), new Date());
  drawCampaigns(list(snapshot.campaigns));
  drawNotes(snapshot.notes);
  drawClocks(list(snapshot.clocks), named);
  drawLedger(list(snapshot.ledger), named);
  drawRefusals(status);
  const failed = Object.values(snapshot).find((part) => part && part.error);
  // It is read out when it changes, so it must not tell the time.
  put(at("link"), failed ? failed.error : "live", failed ? "pill bad" : "pill good");
}

const events = new EventSource("/events");
events.addEventListener("snapshot", (event) => drawAll(JSON.parse(event.data)));
events.addEventListener("error", () => put(at("link"), "no answer; trying again", "pill wait"));
