"""The capstone: everybody gets the same raw rows, the same base and the same budget.

A learner chooses at most 300 rows, tunes a LoRA adapter for at most 200 steps, measures it, and
writes half a page. Four commands serve this:

- `ift submit` packs data, settings, adapter and report into one zip (`package`). What breaks a rule
  is refused in one sentence (`rules`, `data_part`, `settings_part`, `adapter_part`, `report_part`).
- `ift grade --capstone FOLDER` opens the zips of a class (`opening`), lets each adapter answer a
  hidden exam (`exam`, `answering`, `examine`), looks for rows that it should not have been
  trained on (`suspicion`), and writes a leaderboard beside four baselines (`baselines`, `places`,
  `marking`, `leaderboard`).
- `ift exam` does the same for one's own adapter, and writes a certificate (`certificate`).
- `ift verify` checks a certificate without a network (`verification`).

**What is trusted.** A zip holds data and no code: JSON, Markdown, and tensors in safetensors. Its
table of contents, the JSON and the header of the tensors are read with caps on every size. The
numbers are read, checked and used in a process of the grader's sandbox, one for each submission,
which knows the questions and none of the answers. It returns texts, and the trusted process judges
them. The adapter's settings are not given to PEFT as they are: a new configuration is made from the
few values that the rules allow.

The room stands above data, training, evaluation and grading, and beside nothing.
"""
