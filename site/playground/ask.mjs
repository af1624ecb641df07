// "Ask": one question to several models, whose answers appear side by side.

import { prompt } from "./templates.mjs";

const LIMIT = 60; // tokens of an answer

export class Ask {
  constructor(root, client) {
    this.root = root;
    this.client = client;
    this.number = 0;
    this.form = root.querySelector(".pg-ask");
    this.stopButton = this.form.querySelector(".pg-stop");
    this.message = root.querySelector(".pg-message");
    this.columns = [...root.querySelectorAll(".pg-column")];
    client.onAnswers = (message) => this.show(message);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask();
    });
    this.form.addEventListener("input", () => this.showSettings());
    this.stopButton.addEventListener("click", () => this.stop());
    for (const button of this.form.querySelectorAll("[data-question]"))
      button.addEventListener("click", () => {
        this.form.elements.question.value = button.dataset.question;
        this.showSettings();
        this.ask();
      });
    this.showSettings();
  }

  /** What the form says. */
  get settings() {
    const { question, template, temperature, topP, goOn } = this.form.elements;
    return {
      question: question.value.trim(), template: template.value, ignoreEnd: goOn.checked,
      temperature: Number(temperature.value), topP: Number(topP.value),
    };
  }

  /** The model behind a column: of the assistant there are some that were tuned wrongly. */
  modelOf(column) {
    const { tuning } = this.form.elements;
    return column.dataset.model === "sft" && tuning ? tuning.value : column.dataset.model;
  }

  showSettings() {
    const { question, template, temperature, topP } = this.settings;
    this.form.querySelector("[for=pg-temperature] output").value = temperature.toFixed(1);
    this.form.querySelector("[for=pg-top-p] output").value = topP.toFixed(2);
    this.form.querySelector(".pg-reads pre").textContent = prompt(template, question);
  }

  async ask() {
    const settings = this.settings, number = ++this.number;
    const columns = this.columns.filter((x) => x.querySelector("input").checked);
    if (!settings.question || !columns.length) {
      this.message.textContent = "Write a question and choose a model.";
      return;
    }
    this.message.textContent = "";
    this.begin(columns);
    try {
      await this.client.call("stop");
      for (const column of columns) await this.load(column);
      if (number !== this.number) return; // another question has been asked meanwhile
      const names = columns.map((column) => this.modelOf(column));
      await this.client.call("ask", { number, names, limit: LIMIT, seed: number, ...settings });
    } catch (error) {
      this.message.textContent = error.message;
    } finally {
      if (number === this.number) this.end();
    }
  }

  begin(columns) {
    this.stopButton.disabled = false;
    for (const column of this.columns) {
      const answer = column.querySelector(".pg-answer");
      answer.textContent = "";
      answer.setAttribute("aria-busy", columns.includes(column)); // read aloud when it is complete
      column.querySelector(".pg-facts").textContent = "";
    }
  }

  end() {
    this.stopButton.disabled = true;
    for (const column of this.columns) {
      column.querySelector(".pg-answer").setAttribute("aria-busy", false);
      column.querySelector("progress").hidden = true;
    }
  }

  async load(column) {
    const bar = column.querySelector("progress");
    bar.hidden = false;
    await this.client.loaded(this.modelOf(column), (share) => (bar.value = share));
    bar.hidden = true;
  }

  async stop() {
    this.number++; // what is still being loaded will not be asked
    this.end();
    await this.client.call("stop");
  }

  show({ number, answers }) {
    if (number !== this.number) return;
    for (const column of this.columns) {
      const answer = answers.find(({ name }) => name === this.modelOf(column));
      if (!answer) continue;
      column.querySelector(".pg-answer").textContent = answer.text;
      column.querySelector(".pg-facts").textContent = facts(answer);
      if (answer.done) column.querySelector(".pg-answer").setAttribute("aria-busy", false);
    }
  }
}

/** How an answer is going, in a line. */
function facts({ tokens, seconds, done, ended }) {
  const pace = tokens > 1 ? `, ${Math.round((tokens - 1) / seconds)} a second` : "";
  if (!done) return `${tokens} tokens${pace}`;
  return `${tokens} tokens${pace}; ${ended ? "it ended by itself" : `cut off after ${LIMIT}`}`;
}
