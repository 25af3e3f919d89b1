// Speaks where the page's modules cannot: pages from a folder may not load them, and parts may be
// missing. Not a module itself, for that reason.
"use strict";

function say(words) {
  const box = document.getElementById("alert");
  box.textContent = words;
  box.hidden = false;
  document.getElementById("status").textContent = words;
  document.getElementById("summary").textContent = "The page did not start.";
  document.getElementById("facts").textContent = "The page did not start.";
}

if (location.protocol === "file:") {
  say(
    "Browsers run this page from a web server only, not from a folder. In this folder, type " +
      "“python -m http.server”, then open http://localhost:8000/ in the browser.",
  );
} else {
  import("./app.js").catch((error) => {
    console.warn(error);
    say(
      "A part of this page is missing on its server, or this browser is too old. Put all of the " +
        "folder on the server, and open it with a current Chrome, Edge, Firefox or Safari.",
    );
  });
}
