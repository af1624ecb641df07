// The worker: it holds the models and computes, so that the page stays responsive. It is started
// as text (see page.mjs), because a page from the disk may not load a worker's file.

import { Llama, LONGEST } from "./llama.mjs";
import { Tokenizer } from "./tokenizer.mjs";
import { readWeights, unpack } from "./weights.mjs";
import { choose, nucleus, probabilities, seeded } from "./sampling.mjs";
import { lossMask, prompt } from "./templates.mjs";

const BARS = 8;

/** The messages of the page and their answers. `tell` sends a message to the page. */
export class Engine {
  constructor(tell) {
    this.tell = tell;
    this.models = new Map();
    this.codes = new Map(); // whole numbers of the weights, from which others are differences
    this.question = 0; // the number of the question that is being answered
  }

  /** What all models have in common. */
  describe({ config, tokenizer }) {
    this.config = config;
    this.tokenizer = new Tokenizer(tokenizer);
  }

  /** Make a model of the parts of its file, a difference from `origin` if that is a model's name. */
  async load({ name, origin, parts }) {
    const bytes = await unpack(parts);
    const file = readWeights(this.config, bytes, origin && this.codes.get(origin));
    this.codes.set(name, file.codes);
    this.models.set(name, new Llama(this.config, file.weights));
  }

  /** Let several models answer a question, a token each in turn. */
  async ask({ number, names, question, template, ignoreEnd, limit, seed, ...sampling }) {
    this.question = number;
    const ids = this.tokenizer.encode(prompt(template, question));
    if (ids.length + limit > LONGEST)
      throw new RangeError(`The question has ${ids.length} tokens, and ${LONGEST - limit} fit.`);
    const answers = names.map((name) => ({
      name, ids: ids.length ? ids : [this.config.eos_token_id], random: seeded(seed),
      answer: [], tokens: 0, seconds: 0, done: false,
    }));
    const stops = ignoreEnd ? [] : this.config.stops;
    while (this.question === number && answers.some((x) => !x.done)) {
      for (const answer of answers) if (!answer.done) this.extend(answer, sampling, stops, limit);
      this.tell({ type: "progress", number, answers: answers.map((x) => this.report(x)) });
      await breath();
    }
  }

  stop() {
    this.question = 0;
  }

  extend(answer, sampling, stops, limit) {
    const started = performance.now();
    const logits = this.models.get(answer.name).next([...answer.ids, ...answer.answer]);
    const id = choose(logits, sampling, answer.random);
    // Before the first token the whole prompt is read, which is no measure of the pace.
    if (answer.tokens > 0) answer.seconds += (performance.now() - started) / 1000;
    answer.tokens++;
    answer.ended = stops.includes(id);
    if (!answer.ended) answer.answer.push(id);
    answer.done = answer.ended || answer.answer.length >= limit;
  }

  report({ name, answer, tokens, seconds, done, ended }) {
    return { name, text: this.tokenizer.decode(answer), tokens, seconds, done, ended };
  }

  /** The likeliest next tokens after a prompt and the ids of an answer. */
  next({ name, question, template, answer, temperature, topP }) {
    const before = this.tokenizer.encode(prompt(template, question));
    const ids = [...before, ...answer];
    if (ids.length >= LONGEST) throw new RangeError(`No more than ${LONGEST} tokens fit.`);
    const logits = this.models.get(name).next(ids.length ? ids : [this.config.eos_token_id]);
    const chances = probabilities(logits, temperature);
    const allowed = new Set(nucleus(chances, temperature ? topP : 1));
    const likeliest = nucleus(chances, 1).slice(0, BARS);
    return {
      prompt: prompt(template, question),
      answer: answer.map((id) => this.tokenizer.decode([id])),
      ended: this.config.stops.includes(answer.at(-1)),
      bars: likeliest.map((id) => ({
        id, text: this.tokenizer.decode([id]), chance: chances[id], allowed: allowed.has(id),
      })),
    };
  }

  /** The tokens of an answered question, with those marked that the loss is taken on. */
  mask({ question, answer, trained }) {
    return lossMask(this.tokenizer, question, answer, trained).map((token) => ({
      text: this.tokenizer.decode([token.id]), trained: token.trained,
    }));
  }
}

/** Wait until messages that have arrived are read. A timer would wait four milliseconds. */
function breath() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Answer the page's messages: each names a method and gets its result or the error's sentence. */
export function serve(scope) {
  const engine = new Engine((message) => scope.postMessage(message));
  scope.onmessage = async ({ data: { call, method, values } }) => {
    try {
      scope.postMessage({ type: "result", call, result: await engine[method](values) });
    } catch (error) {
      scope.postMessage({ type: "result", call, error: error.message });
    }
  };
}
