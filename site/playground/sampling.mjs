// From logits to the next token.

/** Softmax of logits / temperature; at temperature 0, where the choice is greedy, of the logits. */
export function probabilities(logits, temperature) {
  const scale = 1 / (temperature || 1);
  let most = -Infinity, sum = 0;
  for (const logit of logits) most = Math.max(most, logit);
  const result = new Float64Array(logits.length);
  for (let i = 0; i < logits.length; i++) sum += result[i] = Math.exp((logits[i] - most) * scale);
  for (let i = 0; i < logits.length; i++) result[i] /= sum;
  return result;
}

/** Ids from the likeliest down, until their probabilities add up to `topP`: at least one. */
export function nucleus(chances, topP) {
  const order = Array.from(chances.keys()).sort((a, b) => chances[b] - chances[a] || a - b);
  let sum = 0, size = 0;
  while (size < order.length && (size === 0 || sum < topP)) sum += chances[order[size++]];
  return order.slice(0, size);
}

/** The token that comes next: the likeliest at temperature 0, else drawn from the nucleus. */
export function choose(logits, { temperature, topP }, random) {
  if (temperature === 0) return logits.indexOf(Math.max(...logits));
  const chances = probabilities(logits, temperature), kept = nucleus(chances, topP);
  let rest = random() * kept.reduce((sum, id) => sum + chances[id], 0);
  for (const id of kept) if ((rest -= chances[id]) <= 0) return id;
  return kept[0];
}

/** A generator of numbers in [0, 1), which are the same for the same seed (mulberry32). */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}
