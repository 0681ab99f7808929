/* Passkeys (WebAuthn) in the admin pages. A form with data-passkey="get" or "create" asks the address in data-options what is
   wanted, has the browser do it, puts the answer into the field "answer" and goes on as any form does. Without this script, and
   in browsers without passkeys, those forms stay hidden: every page says what works instead. */
"use strict";
(() => {
  if (!window.PublicKeyCredential || !navigator.credentials) return;

  const toBytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const toText = (buffer) =>
    btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(""))
      .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const found = (known) => (known || []).map((one) => ({ ...one, id: toBytes(one.id) }));

  const asked = {
    get: (wanted) => navigator.credentials.get({
      publicKey: {
        ...wanted,
        challenge: toBytes(wanted.challenge),
        allowCredentials: found(wanted.allowCredentials),
      },
    }),
    create: (wanted) => navigator.credentials.create({
      publicKey: {
        ...wanted,
        challenge: toBytes(wanted.challenge),
        user: { ...wanted.user, id: toBytes(wanted.user.id) },
        excludeCredentials: found(wanted.excludeCredentials),
      },
    }),
  };

  const written = (credential) => {
    const response = { clientDataJSON: toText(credential.response.clientDataJSON) };
    for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[part]) response[part] = toText(credential.response[part]);
    }
    if (credential.response.getTransports) response.transports = credential.response.getTransports();
    return JSON.stringify({ id: credential.id, rawId: toText(credential.rawId), type: credential.type, response });
  };

  const say = (form, problem) => {
    for (const one of form.querySelectorAll("[data-problem]")) one.hidden = one.dataset.problem !== problem;
  };

  const ask = async (form) => {
    const options = await fetch(form.dataset.options, { credentials: "same-origin", redirect: "error" });
    if (!options.ok) throw new Error(options.statusText);
    return written(await asked[form.dataset.passkey](await options.json()));
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const answer = form.elements.namedItem("answer");
    const button = form.querySelector("button");
    form.addEventListener("submit", async (event) => {
      if (answer.value) return;
      event.preventDefault();
      if (button.disabled) return;
      button.disabled = true;
      say(form, "");
      try {
        answer.value = await ask(form);
        form.submit();
      } catch (error) {
        say(form, error.name === "InvalidStateError" ? "there" : "failed");
        button.disabled = false;
      }
    });
  }
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-passkey]")) {
      form.elements.namedItem("answer").value = "";
      form.querySelector("button").disabled = false;
    }
  });
  for (const one of document.querySelectorAll("[data-with-passkeys]")) one.hidden = false;
  for (const one of document.querySelectorAll("[data-without-passkeys]")) one.hidden = true;
})();
