// Presses the one button of the page that the identity provider leads back to, and takes the code out of the browser's history.
"use strict";
const form = document.getElementById("finish");
if (form) {
  history.replaceState(null, "", form.dataset.back);
  form.requestSubmit();
}
