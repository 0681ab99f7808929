// The JavaScript client when things go wrong on the way, and when it reads webhooks. Run with the folder of the client, the
// address of a server that answers as told, the name of a case, and what the case needs as JSON. Prints what came of it.
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [, , folder, url, name, given] = process.argv;
const { Client, verifyWebhook } = await import(pathToFileURL(join(folder, "preferences-client.mjs")));
const waits = [];
const client = new Client(url, "pk_abcdefghij_secret", { attempts: 3, sleep: async (seconds) => void waits.push(seconds) });

async function list(rows) {
  const found = [];
  for await (const row of rows) found.push(row.recipient ?? row);
  return found;
}

async function told(promise) {
  return promise.then((value) => value ?? null, ({ name, status, code, message }) => ({ name, status, code, message }));
}

const cases = {
  links: () => told(client.mintLinks("marketing", ["a@b.se"])),
  position: () => told(client.position()),
  eligibility: () => told(list(client.eligibility("marketing", ["a@b.se", "c@d.se", "e@f.se"]))),
  suppressions: () => told(list(client.suppressions())),
  inTheClear: () => told(new Promise((resolve) => resolve(new Client("http://preferences.example", "x")))),
  webhooks: () =>
    Promise.all(
      JSON.parse(given).map(({ secrets, headers, body, now }) => told(verifyWebhook(secrets, headers, body, { now }))),
    ),
};
console.log(JSON.stringify({ came: await cases[name](), waits }));
