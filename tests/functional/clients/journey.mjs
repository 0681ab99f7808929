// What a mailer does with the JavaScript client. Run with the folder of the client, the service's address and a key.
import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [, , folder, url, key] = process.argv;
const { ApiError, Client } = await import(pathToFileURL(join(folder, "preferences-client.mjs")));
const client = new Client(url, key, { attempts: 1 });

async function list(rows) {
  const found = [];
  for await (const row of rows) found.push(row);
  return found;
}

async function refusal(promise) {
  const error = await promise.then(() => null, (refused) => refused);
  assert.ok(error instanceof ApiError, String(error));
  assert.ok(!JSON.stringify(error).includes(key) && !String(error).includes(key));
  return error;
}

const put = await client.putRecipients([{ email: "anna@example.se" }, { email: "bo@example.se" }, { email: "none" }]);
assert.deepEqual(put.map((one) => [one.row, one.outcome]), [[1, "new"], [2, "new"], [3, "invalid"]]);

const links = await client.mintLinks("marketing", ["anna@example.se", "nobody@example.se"], { message: "may" });
assert.ok(links[0].headers["List-Unsubscribe"].includes(links[0].unsubscribe_url));
assert.equal(links[1].error.code, "unknown_recipient");

assert.deepEqual(await list(client.allowed("events", ["bo@example.se", "åsa@exämple.se"])), ["bo@example.se"]);
assert.deepEqual(await list(client.eligibility("events", [])), []);
const many = Array.from({ length: 1500 }, (_, number) => `person.${number}@example.se`);
const answers = await list(client.eligibility("events", many));
assert.deepEqual(answers.map((one) => one.recipient), many);

const now = new Date().toISOString();
await client.recordChoice("bo@example.se", "events", "objected", now);
assert.deepEqual(await list(client.allowed("events", ["bo@example.se"])), []);
const held = await refusal(client.recordChoice("bo@example.se", "events", "objection_lifted", now, { evidence: { source: "x" } }));
assert.deepEqual([held.status, held.code, typeof held.reason], [409, "held", "string"]);

const pages = client.follow(undefined, { wait: 0 });
const first = (await pages.next()).value;
assert.deepEqual(first.changes.map((one) => [one.data.purpose, one.data.act]), [["events", "objected"]]);
assert.equal((await client.position()).cursor, null);
await client.recordChoice("anna@example.se", "marketing", "withdrawn", now);
const second = (await pages.next()).value;
assert.equal((await client.position()).cursor, first.cursor);
assert.equal(second.changes[0].data.purpose, "marketing");
await pages.return();
const stopped = await client.changes(second.cursor, { types: ["recipient.stopped"] });
assert.deepEqual(stopped.changes, []);

assert.deepEqual(await list(client.suppressions()), []);
const checked = await client.checkHeaders(Buffer.from("List-Id: <news.example>\r\n\r\n"));
assert.equal(checked.sound, false);
assert.equal((await refusal(client.mintLinks("no purpose", ["anna@example.se"]))).errors[0].pointer, "/purpose");
console.log("done");
