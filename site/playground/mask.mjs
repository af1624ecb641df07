// "Loss mask": the tokens of an answered question, and on which of them the loss is taken.

import { token } from "./text.mjs";

export class Mask {
  constructor(root, client) {
    this.form = root.querySelector(".pg-mask");
    this.client = client;
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("input", () => this.show());
    this.form.addEventListener("focusin", () => this.show(), { once: true });
    // The tokenizer is loaded when the reader gets here.
    new IntersectionObserver((entries, observer) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      this.show();
    }).observe(this.form);
  }

  async show() {
    const { maskQuestion, maskAnswer, trained } = this.form.elements;
    const [question, answer] = [maskQuestion.value, maskAnswer.value];
    const sentence = this.form.querySelector(".pg-message");
    try {
      await this.client.described();
      const tokens = await this.client.call("mask", { question, answer, trained: trained.value });
      const on = tokens.filter(({ trained }) => trained).map(({ text }) => token(text));
      this.form.querySelector(".pg-tokens").replaceChildren(...tokens.map(element));
      sentence.textContent =
        `The loss is taken on ${on.length} of ${tokens.length} tokens: ${on.join(" ")}`;
    } catch (error) {
      sentence.textContent = error.message;
    }
  }
}

function element({ text, trained }) {
  const result = document.createElement(trained ? "mark" : "span");
  result.textContent = token(text);
  return result;
}
