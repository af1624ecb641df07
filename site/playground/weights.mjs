// The weights of a model as they are stored: a whole number in a byte for each weight, and a scale
// for each row of a matrix. A tuned model is stored as its difference from the base,
// which is mostly small numbers and therefore takes less space.

/** Names and shapes in the order of the file: gains of norms first, then matrices. */
function layout(config) {
  const { hidden_size: width, intermediate_size: inner, num_hidden_layers: layers } = config;
  const gains = [["norm", null]], matrices = [["embedding", null, config.vocab_size, width]];
  for (let layer = 0; layer < layers; layer++) {
    gains.push(["before_attention", layer], ["before_mlp", layer]);
    for (const name of ["q", "k", "v", "o"]) matrices.push([name, layer, width, width]);
    for (const name of ["gate", "up"]) matrices.push([name, layer, inner, width]);
    matrices.push(["down", layer, width, inner]);
  }
  return { gains, matrices };
}

/** Base64 texts of one gzip file → its bytes. */
export async function unpack(parts) {
  const bytes = parts.map((text) => Uint8Array.from(atob(text), (x) => x.charCodeAt(0)));
  const stream = new Blob(bytes).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * The weights in a file, as floats by name, and its whole numbers.
 *
 * config: of the model; bytes: of the file; base: the whole numbers of the base, or null if the
 * file holds them and not a difference.
 */
export function readWeights(config, bytes, base) {
  const { gains, matrices } = layout(config), width = config.hidden_size;
  const rows = matrices.reduce((sum, matrix) => sum + matrix[2], 0);
  const floats = new Float32Array(bytes.buffer, bytes.byteOffset, gains.length * width + rows);
  const codes = new Int8Array(bytes.buffer, bytes.byteOffset + floats.byteLength);
  if (base) for (let i = 0; i < codes.length; i++) codes[i] += base[i]; // modulo 256
  const weights = { layers: Array.from({ length: config.num_hidden_layers }, () => ({})) };
  const place = (name, layer, values) => {
    (layer === null ? weights : weights.layers[layer])[name] = values;
  };
  let float = 0, code = 0;
  for (const [name, layer] of gains) place(name, layer, floats.slice(float, (float += width)));
  for (const [name, layer, height, columns] of matrices) {
    const values = new Float32Array(height * columns);
    for (let row = 0; row < height; row++, float++)
      for (let i = 0; i < columns; i++) values[row * columns + i] = codes[code++] * floats[float];
    place(name, layer, values);
  }
  return { weights, codes };
}
