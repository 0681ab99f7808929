/**
 * A client for the preference centre and unsubscribe service. One file, no dependencies, Node 18 or newer.
 *
 *     const client = new Client("https://preferences.example", key);
 *     for await (const answer of client.eligibility("marketing", addresses)) if (answer.allowed) …
 *
 * The twin of clients/python/preferences_client.py: every call is retried where that can help, with the server's own Retry-After
 * and one Idempotency-Key for all attempts. The key is sent to the service alone: it stands in no error and no log, and no
 * redirect is followed.
 */

import { randomUUID, webcrypto } from "node:crypto";

const JSON_TYPE = "application/json";
const NDJSON = "application/x-ndjson";
const MOST_LINKS = 10_000;
const MOST_ELIGIBILITY = 100_000;
const MOST_WAIT_SECONDS = 300;
const WEBHOOK_TOLERANCE_SECONDS = 300;
const RETRIED = new Set([429, 502, 503, 504]);

/** The service refused. Act on `code`; `errors` lists fields and rows. Status 0: it could not be reached. */
export class ApiError extends Error {
  constructor(status, code, detail, { errors = [], reason = null } = {}) {
    super(`${status} ${code}: ${detail}`);
    this.name = "ApiError";
    Object.assign(this, { status, code, detail, errors, reason });
  }
}

/** The message was not signed with one of the secrets, or is too old or too new. Answer 400 and do nothing. */
export class InvalidWebhook extends Error {
  name = "InvalidWebhook";
}

/** What went wrong on the way, so that another attempt can help. */
class Broken extends Error {}

export class Client {
  #base;
  #key;
  #timeout;
  #attempts;
  #sleep;

  /**
   * @param {string} baseUrl
   * @param {string} key
   * @param {{timeout?: number, attempts?: number, sleep?: (seconds: number) => Promise<void>}} [options] `attempts` counts the first
   * try; `timeout` is in seconds, for a whole answer of a call that is not streamed, else until it begins.
   */
  constructor(baseUrl, key, { timeout = 60, attempts = 6, sleep = pause } = {}) {
    const { protocol, hostname } = new URL(baseUrl);
    if (protocol !== "https:" && !["localhost", "127.0.0.1", "[::1]"].includes(hostname)) {
      throw new TypeError("the service must be called over https");
    }
    this.#base = `${baseUrl.replace(/\/+$/, "")}/api/v1`;
    this.#key = key;
    this.#timeout = timeout;
    this.#attempts = Math.max(1, attempts);
    this.#sleep = sleep;
  }

  /** Add or change recipients; one outcome for each, `row` counted from 1 through all of them. */
  async putRecipients(rows) {
    const found = [];
    for (const batch of batches(rows, MOST_LINKS)) {
      const before = found.length;
      const { results } = await this.#call("PUT", "/recipients", { recipients: batch });
      found.push(...results.map((one) => ({ ...one, row: one.row + before })));
    }
    return found;
  }

  /** `unsubscribe_url`, `preferences_url` and `headers` for each recipient (id or address), or its `error`; in order. */
  async mintLinks(purpose, recipients, { message } = {}) {
    const found = [];
    for (const batch of batches(recipients, MOST_LINKS)) {
      found.push(...(await this.#call("POST", "/links", { purpose, message, recipients: batch })).results);
    }
    return found;
  }

  /** One answer for each recipient, in order, as they come in. A stream that breaks off is taken up after the last that came. */
  async *eligibility(purpose, recipients, { topic, at } = {}) {
    for (const batch of batches(recipients, MOST_ELIGIBILITY)) {
      let left = batch;
      for (let failures = 0; left.length > 0; ) {
        let came = 0;
        try {
          for await (const row of this.#lines("/eligibility", [{ purpose, topic, at }, ...left])) {
            came += 1;
            yield row;
          }
          if (came !== left.length) throw notUnderstood(200);
        } catch (error) {
          failures = came > 0 ? 0 : failures + 1;
          if (!(error instanceof Broken) || failures >= this.#attempts) throw told(error);
          await this.#wait(failures);
        }
        left = left.slice(came);
      }
    }
  }

  /** Only those of the recipients who may get the message now. */
  async *allowed(purpose, recipients, options = {}) {
    for await (const one of this.eligibility(purpose, recipients, options)) if (one.allowed) yield one.recipient;
  }

  /** Report an act made elsewhere, with its `evidence`. Throws ApiError 409 `held` where it would lift a stop. */
  recordChoice(recipient, purpose, act, occurredAt, more = {}) {
    return this.#call("POST", "/choices", { recipient, purpose, act, occurred_at: occurredAt, ...more });
  }

  /** What changed after the cursor: `changes`, `cursor`, `more`; with `wait`, so many seconds for something to come (at most 30). */
  changes(after, { types = [], limit = 1000, wait = 0 } = {}) {
    const asked = new URLSearchParams({ limit });
    if (after) asked.set("after", after);
    if (types.length) asked.set("type", types.join(","));
    if (wait) asked.set("wait", wait);
    return this.#call("GET", `/changes?${asked}`);
  }

  /** What this mailer has acknowledged, how far it is behind, and the newest cursor. */
  position() {
    return this.#call("GET", "/changes/position");
  }

  /** This mailer has applied everything up to here. Never moves back. */
  acknowledge(cursor) {
    return this.#call("POST", "/changes/acknowledge", { cursor });
  }

  /**
   * Pages of changes without end, from what was acknowledged last unless told where. A page is acknowledged when the next is asked
   * for, that is when the body of your loop has ended without an error: apply first, then go on.
   */
  async *follow(after, { types = [], wait = 25 } = {}) {
    let cursor = after ?? (await this.position()).cursor;
    for (;;) {
      const page = await this.changes(cursor, { types, wait });
      if (page.changes.length) yield page;
      if (page.cursor !== cursor) await this.acknowledge(page.cursor);
      cursor = page.cursor;
    }
  }

  /** Every active address-level stop. Throws ApiError `cut_short` where the stream breaks off: begin anew. */
  async *suppressions() {
    try {
      yield* this.#lines("/suppressions", null);
    } catch (error) {
      throw told(error, "cut_short");
    }
  }

  /** The header doctor's findings about a raw message (bytes). */
  checkHeaders(message) {
    return this.#call("POST", "/header-check", message, { "Content-Type": "message/rfc822" });
  }

  async #call(method, path, body, headers) {
    const sent = { Accept: JSON_TYPE, ...headers };
    if (body !== undefined && headers === undefined) {
      body = JSON.stringify(body);
      Object.assign(sent, { "Content-Type": JSON_TYPE, "Idempotency-Key": randomUUID() });
    }
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#open(method, path, body, sent, (answer) => answer.json());
      } catch (error) {
        if (!(error instanceof Broken) || attempt === this.#attempts) throw told(error);
        await this.#wait(attempt);
      }
    }
  }

  /** The rows of an NDJSON answer. Throws Broken where its last line, with `count`, is missing. */
  async *#lines(path, lines) {
    const sent = { Accept: NDJSON, ...(lines && { "Content-Type": NDJSON }) };
    const body = lines?.map((line) => `${JSON.stringify(line)}\n`).join("");
    const answer = await this.#open(lines ? "POST" : "GET", path, body, sent, (streamed) => streamed);
    let number = 0;
    for await (const row of rowsOf(answer)) {
      if ("count" in row) return;
      number += 1;
      if (number > 1 || !("decision_id" in row)) yield row;
    }
    throw new Broken("the answer was cut short");
  }

  /** What `read` makes of a good answer. Repeats what the server asks to repeat. Throws ApiError, Broken. */
  async #open(method, path, body, headers, read) {
    for (let attempt = 1; ; attempt += 1) {
      const ending = new AbortController();
      const timer = setTimeout(() => ending.abort(), this.#timeout * 1000);
      let answer;
      try {
        const sent = { ...headers, Authorization: `Bearer ${this.#key}` };
        answer = await fetch(this.#base + path, { method, body, headers: sent, redirect: "manual", signal: ending.signal });
        if (answer.ok) return await read(answer);
      } catch (error) {
        throw new Broken(error.name);
      } finally {
        clearTimeout(timer);
      }
      const refused = await refusal(answer);
      if (!RETRIED.has(answer.status) || attempt === this.#attempts) throw refused;
      const wait = answer.headers.get("Retry-After") ?? "";
      await this.#wait(attempt, /^\d+$/.test(wait) ? Number(wait) : undefined);
    }
  }

  #wait(attempt, seconds = Math.min(60, 0.5 * 2 ** attempt) * (0.5 + Math.random() / 2)) {
    return this.#sleep(Math.min(seconds, MOST_WAIT_SECONDS));
  }
}

/**
 * The message, where one of the secrets (`whsec_…`) signed it within five minutes (Standard Webhooks 1.0). Give the raw body, not a
 * parsed one. Keep the ids (`webhook-id`) that you have done: a repeat carries the same. Throws InvalidWebhook.
 *
 * @param {string | string[]} secrets
 * @param {Headers | Record<string, string>} headers
 * @param {Uint8Array | string} body
 */
export async function verifyWebhook(secrets, headers, body, { now = Date.now() / 1000 } = {}) {
  const found = new Headers(headers);
  const [number, stamp] = [found.get("webhook-id") ?? "", found.get("webhook-timestamp") ?? ""];
  if (!number || !/^\d{1,12}$/.test(stamp)) throw new InvalidWebhook("webhook-id or webhook-timestamp is missing");
  if (Math.abs(now - Number(stamp)) > WEBHOOK_TOLERANCE_SECONDS) {
    throw new InvalidWebhook("the message is too old, or a clock is wrong");
  }
  const bytes = Buffer.from(body);
  const signed = Buffer.concat([Buffer.from(`${number}.${stamp}.`), bytes]);
  const given = (found.get("webhook-signature") ?? "").split(" ").slice(0, 20).map((one) => one.split(","));
  const theirs = given.filter(([version]) => version === "v1").map(([, value]) => Buffer.from(value ?? "", "base64"));
  for (const secret of [secrets].flat()) {
    const raw = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
    if (raw.length < 16) throw new TypeError("a webhook secret is whsec_ and base64");
    const use = { name: "HMAC", hash: "SHA-256" };
    const key = await webcrypto.subtle.importKey("raw", raw, use, false, ["verify"]);
    for (const one of theirs) {
      if (await webcrypto.subtle.verify("HMAC", key, one, signed)) return JSON.parse(bytes.toString());
    }
  }
  throw new InvalidWebhook("no signature fits");
}

async function* rowsOf(answer) {
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for await (const chunk of answer.body) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop();
      for (const line of lines) yield JSON.parse(line);
    }
  } catch (error) {
    throw new Broken(error.name);
  }
}

async function refusal(answer) {
  try {
    const { code, detail, errors, reason } = await answer.json();
    if (code) return new ApiError(answer.status, code, detail, { errors, reason });
  } catch {
    // Not ours: a proxy's page.
  }
  return notUnderstood(answer.status);
}

function notUnderstood(status) {
  return new ApiError(status, "not_understood", "Something else than the service answered.");
}

function told(error, code = "unreachable") {
  if (!(error instanceof Broken)) return error;
  return new ApiError(0, code, `The service could not be reached, or broke off (${error.message}).`);
}

function* batches(rows, most) {
  const all = [...rows];
  for (let at = 0; at < all.length; at += most) yield all.slice(at, at + most);
}

function pause(seconds) {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
