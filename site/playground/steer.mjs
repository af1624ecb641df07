// "Next token": the likeliest tokens as bars. What the reader chooses is appended.

import { token, visible } from "./text.mjs";

export class Steer {
  constructor(root, client, ask) {
    this.part = root.querySelector(".pg-steer");
    this.client = client;
    this.ask = ask;
    this.answer = [];
    this.model = this.part.querySelector("select");
    this.bars = this.part.querySelector("ol");
    this.text = this.part.querySelector(".pg-so-far");
    this.message = this.part.querySelector(".pg-message");
    const on = (name, action) =>
      this.part.querySelector(name).addEventListener("click", () => this.change(action));
    on(".pg-start", () => []);
    on(".pg-back", (answer) => answer.slice(0, -1));
    this.model.addEventListener("change", () => this.started && this.change((x) => x));
    ask.form.addEventListener("change", () => this.started && this.change((x) => x));
  }

  /** Replace the answer by what `action` makes of it, and show what may follow. */
  async change(action) {
    const { question, template, temperature, topP } = this.ask.settings;
    const name = this.model.value, answer = action(this.answer);
    const progress = this.part.querySelector("progress");
    try {
      progress.hidden = false;
      await this.client.loaded(name, (share) => (progress.value = share));
      const values = { name, question, template, answer, temperature, topP };
      const state = await this.client.call("next", values);
      Object.assign(this, { answer, started: true });
      this.message.textContent = "";
      this.show(state);
    } catch (error) {
      this.message.textContent = error.message;
    } finally {
      progress.hidden = true;
    }
  }

  show({ prompt, answer, ended, bars }) {
    const before = document.createElement("span"), after = document.createElement("strong");
    before.className = "pg-prompt";
    before.textContent = visible(prompt);
    after.textContent = answer.map(visible).join("");
    this.text.replaceChildren(before, after);
    this.part.querySelector(".pg-back").disabled = answer.length === 0;
    if (ended) this.message.textContent = "The model would stop here: its turn has ended.";
    // The buttons stay, so that the keyboard's focus stays where it is.
    while (this.bars.children.length < bars.length) this.bars.append(this.bar());
    bars.forEach((bar, i) => this.fill(this.bars.children[i].firstChild, bar));
  }

  bar() {
    const item = document.createElement("li"), button = document.createElement("button");
    button.type = "button";
    button.append(document.createElement("code"), document.createElement("span"));
    button.addEventListener("click", () =>
      this.change((answer) => [...answer, Number(button.dataset.id)]));
    item.append(button);
    return item;
  }

  fill(button, { id, text, chance, allowed }) {
    const percent = `${(100 * chance).toFixed(1)} %`;
    button.dataset.id = id;
    button.classList.toggle("pg-cut", !allowed);
    button.style.setProperty("--share", `${100 * chance}%`);
    button.firstChild.textContent = token(text);
    button.lastChild.textContent = allowed ? percent : `${percent}, outside of top-p`;
  }
}
