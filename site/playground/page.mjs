// Starts what is on the page. The markup is made by playground.html.j2.

import { Ask } from "./ask.mjs";
import { Client } from "./client.mjs";
import { Mask } from "./mask.mjs";
import { Steer } from "./steer.mjs";

globalThis.iftPlayground = { part: {} }; // what the scripts with weights call

function start(root) {
  root.append(root.querySelector("template").content);
  const client = new Client(root.dataset.folder, JSON.parse(root.dataset.models));
  const ask = new Ask(root, client);
  if (root.querySelector(".pg-steer")) new Steer(root, client, ask);
  if (root.querySelector(".pg-mask")) new Mask(root, client);
}

for (const root of document.querySelectorAll(".playground")) start(root);
