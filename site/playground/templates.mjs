// What a model reads of a question, and which tokens of an answered question the loss is taken on.

const ALPACA =
  "Below is an instruction that describes a task. " +
  "Write a response that appropriately completes the request.\n\n### Instruction:\n";

// before, between and after: what stands around question and answer; end: the end of the turn.
export const TEMPLATES = {
  chatml: {
    before: "<|im_start|>user\n",
    between: "<|im_end|>\n<|im_start|>assistant\n",
    end: "<|im_end|>",
    after: "\n",
  },
  alpaca: { before: ALPACA, between: "\n\n### Response:\n", end: "<|endoftext|>", after: "\n\n" },
  none: { before: "", between: "", end: "", after: "" },
};

/** The text that the model continues. */
export function prompt(template, question) {
  const { before, between } = TEMPLATES[template];
  return before + question + between;
}

/**
 * An answered question in ChatML, token by token.
 *
 * trained: "answer" (as it should be), "no-end" (all of that but the end of turn) or "everything"
 * (the prompt, too). Returns the id of each token, and whether the loss is taken on it.
 */
export function lossMask(tokenizer, question, answer, trained) {
  const { before, between, end, after } = TEMPLATES.chatml;
  const size = (text) => new TextEncoder().encode(text).length;
  const start = size(before + question + between);
  const stop = start + size(answer) + (trained === "no-end" ? 0 : size(end));
  let offset = 0;
  return tokenizer.encode(before + question + between + answer + end + after).map((id) => {
    const from = offset;
    offset += tokenizer.bytes(id).length;
    return { id, trained: trained === "everything" || (offset > start && from < stop) };
  });
}
