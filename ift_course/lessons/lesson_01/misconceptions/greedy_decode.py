from ift_course.exercises.misconceptions import misconception


def decode(next_logits, prompt, most, end, *, keep_end=False):
    ids = list(prompt)
    for _ in range(most):
        best = int(next_logits(ids).argmax())
        if best == end:
            return ids + [end] * keep_end
        ids.append(best)
    return ids


@misconception("The prompt is part of the result; return the new tokens only.")
def prompt_returned(next_logits, prompt, max_new_tokens, end):
    return decode(next_logits, prompt, max_new_tokens, end)


@misconception(
    "The end token is kept in the result; it says that the answer is over and is no part of it."
)
def end_kept(next_logits, prompt, max_new_tokens, end):
    return decode(next_logits, prompt, max_new_tokens, end, keep_end=True)[len(prompt) :]


@misconception("The end token is never looked for, so every answer runs on to the limit.")
def end_ignored(next_logits, prompt, max_new_tokens, end):
    return decode(next_logits, prompt, max_new_tokens, None)[len(prompt) :]


@misconception(
    "The limit counts the prompt as well; a long prompt then leaves no room for an answer."
)
def limit_counts_the_prompt(next_logits, prompt, max_new_tokens, end):
    return decode(next_logits, prompt, max_new_tokens - len(prompt), end)[len(prompt) :]


@misconception(
    "The model is asked about the prompt every time, so that it never sees what it has just said."
)
def own_words_not_seen(next_logits, prompt, max_new_tokens, end):
    new = []
    for _ in range(max_new_tokens):
        best = int(next_logits(list(prompt)).argmax())
        if best == end:
            break
        new.append(best)
    return new


@misconception(
    "The model is asked about the last token only; it needs all tokens so far to know what the "
    "text is about."
)
def only_the_last_token_seen(next_logits, prompt, max_new_tokens, end):
    return decode(lambda ids: next_logits(ids[-1:]), prompt, max_new_tokens, end)[len(prompt) :]


@misconception(
    "The new tokens are appended to the caller's list; make a copy of the prompt, `list(prompt)`."
)
def prompt_changed(next_logits, prompt, max_new_tokens, end):
    length = len(prompt)
    for _ in range(max_new_tokens):
        best = int(next_logits(prompt).argmax())
        if best == end:
            break
        prompt.append(best)
    return prompt[length:]


@misconception("An end token in the prompt stops the loop; only a new one may.")
def end_in_the_prompt_stops(next_logits, prompt, max_new_tokens, end):
    if end in prompt:
        return []
    return decode(next_logits, prompt, max_new_tokens, end)[len(prompt) :]


@misconception("Of equally likely tokens the last is taken; `argmax` takes the first.")
def last_of_equals(next_logits, prompt, max_new_tokens, end):
    def flipped(ids):
        import torch

        scores = next_logits(ids)
        best = len(scores) - 1 - int(scores.flip(0).argmax())
        return torch.nn.functional.one_hot(torch.tensor(best), len(scores))

    return decode(flipped, prompt, max_new_tokens, end)[len(prompt) :]
