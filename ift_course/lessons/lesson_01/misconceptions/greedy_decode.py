from ift_course.exercises.misconceptions import misconception, variants


def decode(
    next_logits, prompt, most, end, *, stop=True, keep_end=False, whole=False,
    counts_prompt=False, seen=lambda ids: ids,
):  # fmt: skip
    ids = list(prompt)
    for _ in range(most - len(prompt) * counts_prompt):
        best = int(next_logits(seen(ids)).argmax())
        if best == end and stop:
            ids += [end] * keep_end
            break
        ids.append(best)
    return ids if whole else ids[len(prompt) :]


wrong = variants(decode)

prompt_returned = wrong("The prompt is part of the result; return the new tokens only.", whole=True)
end_kept = wrong(
    "The end token is kept in the result, but it only marks the end of the answer; leave it out.",
    keep_end=True,
)
end_ignored = wrong(
    "The end token is never checked for, so every answer runs to the limit.", stop=False
)
limit_counts_the_prompt = wrong(
    "The limit includes the prompt, so a long prompt leaves no room for an answer.",
    counts_prompt=True,
)


@misconception(
    "The model sees only the prompt each time, so it never sees what it has just generated."
)
def own_words_not_seen(next_logits, prompt, max_new_tokens, end):
    new = []
    for _ in range(max_new_tokens):
        best = int(next_logits(list(prompt)).argmax())
        if best == end:
            break
        new.append(best)
    return new


only_the_last_token_seen = wrong(
    "The model sees only the last token; it needs all tokens so far to know the context.",
    seen=lambda ids: ids[-1:],
)


@misconception(
    "The new tokens are appended to the caller's list; copy the prompt with `list(prompt)`."
)
def prompt_changed(next_logits, prompt, max_new_tokens, end):
    length = len(prompt)
    for _ in range(max_new_tokens):
        best = int(next_logits(prompt).argmax())
        if best == end:
            break
        prompt.append(best)
    return prompt[length:]


@misconception("An end token in the prompt stops the loop; only a newly generated one should.")
def end_in_the_prompt_stops(next_logits, prompt, max_new_tokens, end):
    if end in prompt:
        return []
    return decode(next_logits, prompt, max_new_tokens, end)


@misconception("Among equally likely tokens you take the last one; `argmax` takes the first.")
def last_of_equals(next_logits, prompt, max_new_tokens, end):
    def flipped(ids):
        import torch

        scores = next_logits(ids)
        best = len(scores) - 1 - int(scores.flip(0).argmax())
        return torch.nn.functional.one_hot(torch.tensor(best), len(scores))

    return decode(flipped, prompt, max_new_tokens, end)
