// The main round through the generated types: two accounts, an event, its one seat, and what the API says of a second try.
import assert from "node:assert/strict";
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./build/schema.js";

type Event = components["schemas"]["Event"];
type Registration = components["schemas"]["Registration"];
type Fact = components["schemas"]["Fact"];
type Problem = components["schemas"]["Problem"];

const [baseUrl, suffix] = process.argv.slice(2) as [string, string];
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

console.log("done");
