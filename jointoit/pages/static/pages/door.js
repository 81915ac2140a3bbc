// The door with camera, sound and without network. What was scanned offline waits in this device until it is sent, under
// ids made here, so that sending twice is sending once. A scan that waits is shown as queued, never as admitted.
"use strict";

const door = document.getElementById("door");
const url = door.dataset.url;
const find = (name) => document.querySelector(`[data-${name}]`);
const field = document.getElementById("ticket");
const gate = document.getElementById("gate");
const answer = find("answer");
const csrf = document.querySelector("[name=csrfmiddlewaretoken]").value;
const words = {};
for (const each of find("words").content.querySelectorAll("[data-word]")) words[each.dataset.word] = each.textContent;

// ── What this device keeps ──────────────────────────────────────────────────────────────────────────────────────────

const shelf = (name, empty) => ({
  read: () => JSON.parse(localStorage.getItem(`door-${door.dataset.event}-${name}`) || empty),
  write: (value) => localStorage.setItem(`door-${door.dataset.event}-${name}`, JSON.stringify(value)),
});
const queue = shelf("queue", "[]");
const roster = shelf("roster", "{}"); // registration → {issue, name, admitted_at}
const mark = shelf("since", "null");
const known = shelf("keys", "[]"); // public ones, with which tickets are checked
let keys = known.read();
let isKept = false;
let online = navigator.onLine;
let sending = false;

// ── Talking to the service ──────────────────────────────────────────────────────────────────────────────────────────

async function call(path, method = "GET", body = undefined) {
  const headers = { Accept: "application/json", "X-CSRFToken": csrf };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await fetch(path, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(8000),
  });
  if (response.status >= 500 || response.status === 429) throw new TypeError("away");
  return response;
}

function heard(isThere) {
  online = isThere;
  const waits = queue.read().length;
  const line = find("network");
  line.hidden = isThere && !waits;
  line.classList.toggle("off", !isThere || waits > 0);
  line.textContent = [isThere ? words.online : words.offline, waits ? `${waits} ${words.waiting}` : ""].filter(Boolean).join(" · ");
}

async function refresh() {
  try {
    const counts = await (await call(`${url}status/`)).json();
    for (const name of ["admitted", "confirmed", "refused"]) find(name).textContent = counts[name];
    await loadRoster();
    if (!isKept) await keep();
    heard(true);
    await send();
  } catch (error) {
    heard(false);
  }
}

// What the page needs to open again without network: the keys, itself without names, its scripts and styles.
async function keep() {
  keys = (await (await call(door.dataset.keys)).json()).keys;
  known.write(keys);
  isKept = true;
  if (!("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register("/door/worker.js", { scope: "/door/" });
    const files = [...document.querySelectorAll("script[src], link[rel=stylesheet]")].map((each) => each.src || each.href);
    const kept = await caches.open("door");
    for (const old of await kept.keys()) if (old.url.includes("/static/") && !files.includes(old.url)) await kept.delete(old);
    await kept.addAll(files);
    const page = await call(`${url}?shell`);
    if (!page.ok || page.redirected) return;
    await kept.put(url, page);
    find("ready").hidden = false;
  } catch (error) {
    // a browser that keeps nothing works as long as its page stays open
  }
}

async function loadRoster() {
  let people = roster.read();
  const since = mark.read();
  let path = `${url}roster/?page_size=5000${since ? `&since=${encodeURIComponent(since)}` : ""}`;
  let fresh = null;
  while (path) {
    const response = await call(path);
    if (response.status === 410) {
      people = {};
      path = `${url}roster/?page_size=5000`;
      continue;
    }
    if (!response.ok) return;
    const page = await response.json();
    fresh = fresh || page.since;
    for (const each of page.results) {
      if (each.issue === null) delete people[each.registration];
      else people[each.registration] = each;
    }
    path = page.next && new URL(page.next).search ? `${url}roster/${new URL(page.next).search}` : null;
  }
  roster.write(people);
  mark.write(fresh);
}

async function send() {
  const waits = queue.read();
  if (!waits.length || sending) return;
  sending = true;
  try {
    const scans = waits.slice(0, 200);
    const response = await call(`${url}scans/batch/`, "POST", { device_time: new Date().toISOString(), scans });
    if (response.ok) {
      const { results, conflicts } = await response.json();
      const sent = new Set(scans.map((scan) => scan.id));
      queue.write(queue.read().filter((scan) => !sent.has(scan.id)));
      for (const result of results) if (result.scan) remember(result.scan);
      if (conflicts.length) show("bad", words.conflict, conflicts.map((each) => each.name).join(", "));
    } else {
      find("network").hidden = false;
      find("network").textContent = words.failed;
      return;
    }
  } finally {
    sending = false;
  }
  heard(true);
  if (queue.read().length) await send();
}

// ── One scan ────────────────────────────────────────────────────────────────────────────────────────────────────────

async function check(given) {
  const scan = { id: crypto.randomUUID(), ...given, scanned_at: new Date().toISOString() };
  if (gate.value.trim()) scan.gate = gate.value.trim();
  if (queue.read().length === 0) {
    try {
      const response = await call(`${url}scans/`, "POST", scan);
      if (response.ok) {
        heard(true);
        const decided = await response.json();
        remember(decided);
        tell(decided);
        return;
      }
      if (response.status === 401 || response.status === 403) {
        location.assign(door.dataset.login);
        return;
      }
      show("bad", (await response.json()).detail || words.forged);
      return;
    } catch (error) {
      heard(false);
    }
  }
  await checkHere(scan);
}

async function checkHere(scan) {
  if (scan.code) return show("wait", words.unchecked);
  const people = roster.read();
  const ticket = scan.token ? await read(scan.token) : { registration: scan.registration, issue: null };
  if (!ticket) return show("bad", words.forged);
  if (ticket.event !== undefined && String(ticket.event) !== door.dataset.event) return show("bad", words.wrong_event);
  const person = people[ticket.registration];
  if (!person) return show("bad", words.unlisted);
  if (ticket.issue !== null && ticket.issue !== person.issue) return show("bad", words.reissued, first(person.name));
  if (person.admitted_at) return show("bad", words.already, first(person.name), clock(person.admitted_at));
  person.admitted_at = scan.scanned_at;
  roster.write(people);
  queue.write([...queue.read(), scan]);
  heard(online);
  return show("wait", words.queued, first(person.name), words["queued-more"]);
}

// The token as docs/tickets.md describes it: version, key id, event, registration, issue, signature of Ed25519.
async function read(token) {
  const bytes = unpack(token);
  if (!bytes || bytes[0] !== 1) return null;
  const kid = [...bytes.slice(1, 5)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  let place = 5;
  const number = () => {
    let value = 0;
    let weight = 1;
    for (;;) {
      const byte = bytes[place++];
      value += (byte & 127) * weight;
      weight *= 128;
      if (byte < 128) return value;
    }
  };
  const event = number();
  const registration = number();
  const issue = bytes[place] * 256 + bytes[place + 1];
  const key = keys.find((each) => each.kid === kid);
  if (bytes.length !== place + 66 || !key) return null;
  try {
    const known = await crypto.subtle.importKey("jwk", { kty: key.kty, crv: key.crv, x: key.x }, "Ed25519", false, ["verify"]);
    const good = await crypto.subtle.verify("Ed25519", known, bytes.slice(place + 2), bytes.slice(0, place + 2));
    return good ? { event, registration, issue } : null;
  } catch (error) {
    return null; // this browser cannot verify: nobody is let in unseen
  }
}

function unpack(token) {
  if (!token.startsWith("JT1:")) return null;
  const bytes = [];
  let value = 0;
  let bits = 0;
  for (const letter of token.slice(4)) {
    const digit = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter);
    if (digit < 0) return null;
    value = (value << 5) | digit;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((value >> bits) & 255);
      value &= (1 << bits) - 1;
    }
  }
  return new Uint8Array(bytes);
}

// ── What became of it ───────────────────────────────────────────────────────────────────────────────────────────────

const first = (name) => (name || "").split(" ")[0];
const clock = (moment) => new Date(moment).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

function tell(scan) {
  if (scan.result === "admitted") return show("good", words.in, first(scan.name), "", scan.id);
  const earlier = scan.first ? [clock(scan.first.scanned_at), scan.first.gate && `${words.gate} ${scan.first.gate}`] : [];
  return show("bad", words[scan.reason] || scan.reason, first(scan.name), earlier.filter(Boolean).join(", "));
}

function remember(scan) {
  const people = roster.read();
  if (scan.result === "admitted" && people[scan.registration]) {
    people[scan.registration].admitted_at = scan.scanned_at;
    roster.write(people);
  }
}

let fading = 0;
function show(kind, word, name = "", more = "", id = "") {
  answer.className = `answer full ${kind}`;
  const sign = { good: "✓", bad: "×", wait: "…" }[kind];
  answer.querySelector(".word").textContent = `${sign} ${word}`;
  answer.querySelector(".name").textContent = name;
  answer.querySelector(".more").textContent = more;
  answer.hidden = false;
  answer.querySelector("button").focus();
  sound(kind);
  if (navigator.vibrate) navigator.vibrate(kind === "good" ? 80 : [120, 80, 120]);
  note(kind, word, name, id);
  clearTimeout(fading);
  if (kind === "good") fading = setTimeout(close, 2500);
}

function close() {
  clearTimeout(fading);
  answer.hidden = true;
  field.value = "";
  field.focus();
}

let player = null;
function sound(kind) {
  player = player || new AudioContext();
  const tones = { good: [880, 1320], bad: [220, 165], wait: [440, 440] }[kind];
  tones.forEach((pitch, number) => {
    const tone = player.createOscillator();
    tone.frequency.value = pitch;
    tone.connect(player.destination);
    tone.start(player.currentTime + number * 0.15);
    tone.stop(player.currentTime + number * 0.15 + 0.12);
  });
}

function note(kind, word, name, id) {
  const line = document.createElement("li");
  const said = document.createElement("span");
  said.textContent = [word, name].filter(Boolean).join(": ");
  line.append(said);
  if (id) {
    const undo = button(words.undo, async () => {
      const response = await call(`${url}scans/${id}/`, "DELETE").catch(() => null);
      if (!response || !response.ok) return;
      said.textContent = `↩ ${words.undone}: ${name}`;
      undo.remove();
      mark.write(null);
      await refresh();
    });
    line.append(undo);
  }
  const list = find("last");
  list.prepend(line);
  while (list.children.length > 5) list.lastElementChild.remove();
}

function button(label, act) {
  const made = document.createElement("button");
  made.className = "button";
  made.type = "button";
  made.textContent = label;
  made.addEventListener("click", act);
  return made;
}

// ── Camera, hand scanner, search ────────────────────────────────────────────────────────────────────────────────────

const longestCode = 30;
function take(text) {
  const typed = text.trim();
  if (typed) return check(typed.length > longestCode ? { token: typed } : { code: typed });
}

find("scan").addEventListener("submit", (event) => {
  event.preventDefault();
  take(field.value);
});

find("search").addEventListener("submit", async (event) => {
  event.preventDefault();
  const asked = document.getElementById("q").value.trim();
  let found;
  try {
    const response = await call(`${url}search/?q=${encodeURIComponent(asked)}`);
    found = response.ok ? (await response.json()).results : [];
  } catch (error) {
    heard(false);
    found = Object.values(roster.read())
      .filter((each) => each.name.toLowerCase().includes(asked.toLowerCase()))
      .slice(0, 20)
      .map((each) => ({ ...each, status: "confirmed" }));
  }
  const list = find("found");
  list.replaceChildren();
  for (const each of found) {
    const line = document.createElement("li");
    line.append(each.name);
    if (each.admitted_at) line.append(` ✓ ${words.already}`);
    else if (each.status === "confirmed") line.append(button(words["let-in"], () => check({ registration: each.registration })));
    else line.append(` × ${each.status}`);
    list.append(line);
  }
  if (!found.length) list.textContent = words.nobody;
});

answer.querySelector("button").addEventListener("click", close);

const video = document.querySelector(".camera video");
const canvas = document.createElement("canvas");
let last = { text: "", at: 0 };

async function look() {
  if (answer.hidden && video.videoWidth) {
    const text = await decode();
    if (text && (text !== last.text || Date.now() - last.at > 4000)) {
      last = { text, at: Date.now() };
      await take(text);
    }
  }
  setTimeout(look, 150);
}

async function decode() {
  if (look.detector) return (await look.detector.detect(video))[0]?.rawValue || "";
  const scale = Math.min(1, 800 / video.videoWidth);
  canvas.width = video.videoWidth * scale;
  canvas.height = video.videoHeight * scale;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(video, 0, 0, canvas.width, canvas.height);
  return jsQR(pen.getImageData(0, 0, canvas.width, canvas.height).data, canvas.width, canvas.height)?.data || "";
}

find("camera").addEventListener("click", async () => {
  try {
    if ("BarcodeDetector" in window && (await BarcodeDetector.getSupportedFormats()).includes("qr_code")) {
      look.detector = new BarcodeDetector({ formats: ["qr_code"] });
    }
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    await video.play();
    video.closest(".camera").hidden = false;
    find("with-script").hidden = true;
    look();
  } catch (error) {
    show("wait", words["no-camera"]);
  }
});

find("with-script").hidden = false;
for (const name of ["online", "offline"]) addEventListener(name, () => (navigator.onLine ? refresh() : heard(false)));
setInterval(refresh, 10000);
refresh();
