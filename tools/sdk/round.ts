// The main round through the generated types: two accounts, an event, its one seat, and what the API says of a second try.
import assert from "node:assert/strict";
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./build/schema.js";

type Event = components["schemas"]["Event"];
type Registration = components["schemas"]["Registration"];
type Fact = components["schemas"]["Fact"];
type Problem = components["schemas"]["Problem"];

const [baseUrl, suffix, inbox] = process.argv.slice(2) as [string, string, string];
const password = "correct horse battery 9";

async function person(name: string): Promise<Client<paths>> {
  const anyone = createClient<paths>({ baseUrl });
  const account = { username: name, email: `${name}@example.org`, password };
  const opened = await anyone.POST("/users/register/", { body: account });
  assert.equal(opened.data?.username, name);
  const { data: pair } = await anyone.POST("/api/token/", { body: { username: name, password } });
  assert.ok(pair);
  return createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${pair.access}` } });
}

const organizer = await person(`ts-host-${suffix}`);
const guest = await person(`ts-visitor-${suffix}`);

const created = await organizer.POST("/events/", {
  params: { header: { "Idempotency-Key": suffix } },
  body: { title: "Typed", date: "2099-06-01T18:00:00Z", location: "Paris", capacity: 1 },
});
const event: Event | undefined = created.data;
assert.ok(event);
assert.deepEqual([event.date, event.seats_left, event.status], ["2099-06-01T18:00:00Z", 1, "published"]);

// @ts-expect-error: what the schema does not have, the compiler does not know.
assert.equal(event.seats_right, undefined);

const path = { id: event.id };
const registered = await guest.POST("/events/{id}/register/", { params: { path } });
const registration: Registration | undefined = registered.data;
assert.ok(registration);
assert.deepEqual([registration.status, registration.event.title], ["confirmed", "Typed"]);

const again = await guest.POST("/events/{id}/register/", { params: { path } });
const problem: Problem | undefined = again.error;
assert.deepEqual([problem?.status, problem?.code], [409, "already_registered"]);

const mine = await guest.GET("/registrations/", { params: { query: { status: "confirmed", count: "exact" } } });
assert.deepEqual([mine.data?.count, mine.data?.results.map((each) => each.id)], [1, [registration.id]]);

const removed = await organizer.DELETE("/registrations/{id}/", { params: { path: { id: registration.id } } });
assert.equal(removed.response.status, 204);
const ended = await guest.GET("/registrations/{id}/", { params: { path: { id: registration.id } } });
assert.equal(ended.data?.status, "cancelled");
// The feed tells the same, and where to ask next.
const page = await organizer.GET("/feed/", { params: { query: { managed: true } } });
const facts: Fact[] = page.data?.results ?? [];
assert.deepEqual(facts.slice(0, 2).map((fact) => fact.type), ["event.created", "registration.confirmed"]);
const next = new URL(page.data?.next ?? "").searchParams.get("cursor") ?? "";
const later = await organizer.GET("/feed/", { params: { query: { managed: true, cursor: next } } });
assert.deepEqual(later.data?.results, []);

// Somebody helps, takes the event over, and lets a program read what happened.
async function mailed(to: string, subject: string): Promise<string> {
  for (let tries = 0; tries < 200; tries++) {
    const mails = (await (await fetch(`${inbox}/api/email?to.address=${to}`)).json()) as { subject: string; text: string }[];
    const found = mails.filter((mail) => mail.subject.includes(subject)).at(-1)?.text.match(/token=([\w.~:-]+)/);
    if (found?.[1]) return found[1];
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`No mail to ${to} with ${subject}`);
}
const helper = `ts-visitor-${suffix}@example.org`;
await guest.POST("/users/verify-email/", { body: { token: await mailed(helper, "onfirm your") } });
await organizer.POST("/events/{id}/invitations/", { params: { path }, body: { email: helper, role: "manager" } });
const accepted = await guest.POST("/invitations/accept/", { body: { token: await mailed(helper, "help") } });
assert.deepEqual([accepted.data?.event?.id, accepted.data?.role], [event.id, "manager"]);
const renamed = await guest.PATCH("/events/{id}/", { params: { path }, body: { capacity: 2 } });
assert.equal(renamed.data?.capacity, 2);
await organizer.POST("/events/{id}/handover/", { params: { path }, body: { email: helper } });
await guest.POST("/invitations/accept/", { body: { token: await mailed(helper, "take over") } });
const key = await guest.POST("/users/me/keys/", { body: { name: "wall", scopes: ["attendees:read"], password } });
const program = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key.data?.key}` } });
const history = await program.GET("/events/{id}/history/", { params: { path } });
assert.deepEqual(
  history.data?.results.slice(0, 3).map((fact) => [fact.type, fact.actor.kind]),
  [["event.handed_over", "owner"], ["event.changed", "manager"], ["team.changed", "manager"]],
);
assert.equal((await program.GET("/users/me/keys/")).response.status, 403);

console.log("done");
