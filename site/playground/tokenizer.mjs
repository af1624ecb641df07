// Byte-level BPE, as GPT-2 has it: text → words → bytes → merges, in the order in which these were
// learned. The tests compare it with the course's tokenizer in Python.

// Words as the pretokenizer cuts them. JavaScript's \s is another set than \p{White_Space}.
const WORD = new RegExp(
  String.raw`'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+` +
  String.raw`|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+`, "gu");

// A printable character for each byte: itself where it is one, else one from U+0100 on.
function byteCharacters() {
  const printable = (byte) =>
    (byte > 32 && byte < 127) || (byte > 160 && byte < 256 && byte !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(printable(byte) ? byte : next++));
}

const CHARACTER = byteCharacters();
const BYTE = new Map(CHARACTER.map((character, byte) => [character, byte]));

export class Tokenizer {
  /** vocabulary: tokens by id; merges: pairs "left right" as learned; special: text → id. */
  constructor({ vocabulary, merges, special }) {
    this.vocabulary = vocabulary;
    this.ids = new Map(vocabulary.map((token, id) => [token, id]));
    this.ranks = new Map(merges.map((pair, rank) => [pair, rank]));
    this.special = new Map(Object.entries(special));
    this.specialIds = new Set(this.special.values());
    const escaped = Object.keys(special).map((x) => x.replace(/[|\\{}()[\]^$+*?.]/g, "\\$&"));
    this.atSpecial = new RegExp(`(${escaped.join("|")})`);
    this.words = new Map(); // the ids of words that were met before
  }

  /** The token ids of a text. Special tokens in it become one token each. */
  encode(text) {
    return text.split(this.atSpecial).filter(Boolean).flatMap((piece) =>
      this.special.has(piece)
        ? [this.special.get(piece)]
        : (piece.match(WORD) ?? []).flatMap((word) => this.wordIds(word)));
  }

  /** The text of token ids. Bytes that are no text become U+FFFD. */
  decode(ids) {
    const bytes = Uint8Array.from(ids.flatMap((id) => this.bytes(id)));
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes); // which keeps a U+FEFF
  }

  /** The bytes of one token. */
  bytes(id) {
    return Array.from(this.vocabulary[id], (character) => BYTE.get(character));
  }

  wordIds(word) {
    if (!this.words.has(word)) {
      const bytes = new TextEncoder().encode(word);
      const parts = this.merge(Array.from(bytes, (byte) => CHARACTER[byte]));
      this.words.set(word, parts.map((part) => this.ids.get(part)));
    }
    return this.words.get(word);
  }

  /** Merge the pair that was learned first, and of several the leftmost, until none is left. */
  merge(parts) {
    for (;;) {
      let best = Infinity, place = -1;
      for (let i = 0; i + 1 < parts.length; i++) {
        const rank = this.ranks.get(`${parts[i]} ${parts[i + 1]}`) ?? Infinity;
        if (rank < best) [best, place] = [rank, i];
      }
      if (place < 0) return parts;
      parts.splice(place, 2, parts[place] + parts[place + 1]);
    }
  }
}
