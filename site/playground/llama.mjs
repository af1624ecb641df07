// A Llama, read from top to bottom: token ids in, the logits of the next token out.

export const LONGEST = 512; // tokens of prompt and answer together

/** One matrix times one vector. `matrix` is stored row by row; its rows are as long as `input`. */
function multiply(output, matrix, input) {
  const columns = input.length;
  for (let row = 0, at = 0; row < output.length; row++) {
    let a = 0, b = 0, c = 0, d = 0; // four sums that do not wait for each other
    for (let i = 0; i < columns; i += 4, at += 4) {
      a += matrix[at] * input[i];
      b += matrix[at + 1] * input[i + 1];
      c += matrix[at + 2] * input[i + 2];
      d += matrix[at + 3] * input[i + 3];
    }
    output[row] = a + b + c + d;
  }
}

function add(sum, values) {
  for (let i = 0; i < sum.length; i++) sum[i] += values[i];
}

/** RMSNorm: the input divided by its root mean square, times a learned gain. */
function normalize(output, input, gain, epsilon) {
  let squares = 0;
  for (let i = 0; i < input.length; i++) squares += input[i] * input[i];
  const scale = 1 / Math.sqrt(squares / input.length + epsilon);
  for (let i = 0; i < input.length; i++) output[i] = input[i] * scale * gain[i];
}

/** Rotary embedding: cosines and sines of every position, for each pair of dimensions of a head. */
function rotations(size, theta) {
  const half = size / 2;
  const cos = new Float32Array(LONGEST * half), sin = new Float32Array(LONGEST * half);
  for (let position = 0; position < LONGEST; position++)
    for (let i = 0; i < half; i++) {
      const angle = position / theta ** (i / half);
      cos[position * half + i] = Math.cos(angle);
      sin[position * half + i] = Math.sin(angle);
    }
  return { cos, sin };
}

export class Llama {
  /** config: as in config.json; weights: float arrays by name, as `readWeights` returns them. */
  constructor(config, weights) {
    this.config = config;
    this.weights = weights;
    const vector = (length) => new Float32Array(length);
    const { hidden_size: width, intermediate_size: inner, num_hidden_layers: layers } = config;
    for (const name of ["x", "h", "q", "mixed", "back"]) this[name] = vector(width);
    for (const name of ["gate", "up"]) this[name] = vector(inner);
    this.scores = vector(LONGEST);
    this.logits = vector(config.vocab_size);
    this.keys = Array.from({ length: layers }, () => vector(LONGEST * width));
    this.values = Array.from({ length: layers }, () => vector(LONGEST * width));
    this.turn = rotations(config.head_dim, config.rope_theta);
    this.read = []; // the ids whose keys and values are in the cache
  }

  /** The logits after `ids`. What the cache has of their beginning is not computed again. */
  next(ids) {
    let known = 0;
    while (known < this.read.length && this.read[known] === ids[known]) known++;
    known = Math.min(known, ids.length - 1); // the last one is needed for its logits
    for (let i = known; i < ids.length; i++) this.step(ids[i], i);
    this.read = ids.slice();
    const { weights, config } = this;
    normalize(this.h, this.x, weights.norm, config.rms_norm_eps);
    multiply(this.logits, weights.embedding, this.h); // the embedding is the head, too
    return this.logits;
  }

  /** Carry one token through all layers; `this.x` is the residual stream. */
  step(token, position) {
    const { weights, config, x, h, back } = this, width = x.length;
    x.set(weights.embedding.subarray(token * width, (token + 1) * width));
    for (let layer = 0; layer < config.num_hidden_layers; layer++) {
      const part = weights.layers[layer];
      normalize(h, x, part.before_attention, config.rms_norm_eps);
      this.attend(part, layer, position);
      multiply(back, part.o, this.mixed);
      add(x, back);
      normalize(h, x, part.before_mlp, config.rms_norm_eps);
      multiply(this.gate, part.gate, h);
      multiply(this.up, part.up, h);
      for (let i = 0; i < this.gate.length; i++) {
        const z = this.gate[i];
        this.gate[i] = (z / (1 + Math.exp(-z))) * this.up[i]; // SwiGLU
      }
      multiply(back, part.down, this.gate);
      add(x, back);
    }
  }

  /** Attention of one position to itself and all before it; the result is in `this.mixed`. */
  attend(part, layer, position) {
    const { h, q, mixed, scores } = this, width = q.length, size = this.config.head_dim;
    const keys = this.keys[layer], values = this.values[layer];
    const key = keys.subarray(position * width, (position + 1) * width);
    multiply(q, part.q, h);
    multiply(key, part.k, h);
    multiply(values.subarray(position * width, (position + 1) * width), part.v, h);
    this.rotate(q, position);
    this.rotate(key, position);
    mixed.fill(0);
    for (let head = 0; head < width; head += size) {
      let most = -Infinity, sum = 0;
      for (let t = 0; t <= position; t++) {
        let dot = 0;
        for (let i = head; i < head + size; i++) dot += q[i] * keys[t * width + i];
        scores[t] = dot / Math.sqrt(size);
        most = Math.max(most, scores[t]);
      }
      for (let t = 0; t <= position; t++) sum += scores[t] = Math.exp(scores[t] - most);
      for (let t = 0; t <= position; t++)
        for (let i = head; i < head + size; i++)
          mixed[i] += (scores[t] / sum) * values[t * width + i];
    }
  }

  /** Turn each pair of dimensions (i, i + size / 2) of each head by the angle of its position. */
  rotate(vector, position) {
    const size = this.config.head_dim, half = size / 2, { cos, sin } = this.turn;
    for (let head = 0; head < vector.length; head += size)
      for (let i = 0; i < half; i++) {
        const a = vector[head + i], b = vector[head + half + i], at = position * half + i;
        vector[head + i] = a * cos[at] - b * sin[at];
        vector[head + half + i] = b * cos[at] + a * sin[at];
      }
  }
}
