// The page's side of the worker: it starts it, loads models into it and calls its methods.

/** Add a script to the page. This works from the disk, where a page may fetch nothing. */
function addScript(url) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(script.remove());
    script.onerror = () => reject(new Error(`The file ${url} could not be loaded.`));
    document.head.append(script);
  });
}

export class Client {
  /** folder: address of the playground's files; models: what is known of each, by name. */
  constructor(folder, models) {
    this.folder = folder;
    this.models = models;
    this.loading = new Map(); // a promise for each model that was asked for
    this.calls = new Map(); // what waits for the worker's results
    this.onAnswers = () => {};
    const code = new Blob([`"use strict"; (${engine})();`], { type: "text/javascript" });
    this.worker = new Worker(URL.createObjectURL(code));
    this.worker.onmessage = ({ data }) => this.receive(data);
    this.worker.onerror = (event) => this.fail(event);
  }

  /** Call a method of the engine (worker.mjs) and wait for its result. */
  call(method, values) {
    const call = (this.last = (this.last ?? 0) + 1);
    return new Promise((resolve, reject) => {
      this.calls.set(call, { resolve, reject });
      this.worker.postMessage({ call, method, values });
    });
  }

  receive(message) {
    if (message.type === "progress") return this.onAnswers(message);
    const { resolve, reject } = this.calls.get(message.call);
    this.calls.delete(message.call);
    if (message.error === undefined) resolve(message.result);
    else reject(new Error(message.error));
  }

  fail(event) {
    for (const { reject } of this.calls.values())
      reject(new Error(`The worker has stopped (${event.message}); load the page again.`));
    this.calls.clear();
  }

  /** The tokenizer and the config are in the worker. */
  described() {
    return this.once("", async () => {
      let description;
      globalThis.iftPlayground.describe = (values) => (description = values);
      await addScript(`${this.folder}/describe.js`);
      await this.call("describe", description);
    });
  }

  /** A model is in the worker; `show` is told which share of its files has arrived. */
  async loaded(name, show = () => {}) {
    await this.described();
    const { origin, parts } = this.models[name];
    const counts = origin ? this.models[origin].parts : 0;
    if (origin) await this.loaded(origin, (share) => show((share * counts) / (counts + parts)));
    await this.once(name, async () => {
      const texts = [];
      globalThis.iftPlayground.part[name] = (index, text) => (texts[index] = text);
      for (let i = 0; i < parts; i++) {
        await addScript(`${this.folder}/${name}.${i}.js`);
        show((counts + i + 1) / (counts + parts));
      }
      await this.call("load", { name, origin, parts: texts });
    });
    show(1);
  }

  /** Do something once; what failed may be tried again. */
  once(name, action) {
    if (!this.loading.has(name)) {
      const result = action();
      result.catch(() => this.loading.delete(name));
      this.loading.set(name, result);
    }
    return this.loading.get(name);
  }
}
