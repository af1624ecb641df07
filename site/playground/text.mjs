// How tokens are shown.

/** A text whose line breaks can be seen. */
export function visible(text) {
  return text.replaceAll("\n", "↵\n");
}

/** A token by itself: a space at its beginning belongs to it, and can be seen. */
export function token(text) {
  return visible(text.replace(/^ /, "␣"));
}
