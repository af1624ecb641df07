"""One conversation in the layout of each published data set, for lessons and tests."""

from __future__ import annotations

from typing import Any


def rows(instruction: str, input: str, answer: str) -> dict[str, dict[str, Any]]:
    """The same question and answer in the layout of each data set.

    Args:
        instruction: what the user asks for.
        input: what the instruction is about, or "".
        answer: the assistant's answer.

    Returns:
        A row for each data set's name. The columns are those of the cards cited in
        docs/datasets.md.
    """
    question = f"{instruction}\n{input}" if input else instruction
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    sharegpt = [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]
    return {
        "OpenHermes": {
            "custom_instruction": None, "topic": None, "model_name": None, "model": None,
            "skip_prompt_formatting": False, "category": "orca", "views": None, "language": None,
            "id": None, "title": None, "idx": None, "hash": None, "avatarUrl": None,
            "system_prompt": None, "source": "airoboros2.2",
            "conversations": [turn | {"weight": None} for turn in sharegpt],
        },
        "UltraChat": {"prompt": question, "prompt_id": "f0e37e9f", "messages": messages},
        "Dolly": {"instruction": instruction, "context": input, "response": answer,
                  "category": "closed_qa"},
        "ShareGPT": {"id": "QWJhYvA_0", "conversations": sharegpt},
        "Flan": {"inputs": question, "targets": answer, "_template_idx": 3,
                 "_task_source": "Flan2021", "_task_name": "capitals:1.0.0",
                 "_template_type": "zs_noopt"},
        "Alpaca": {"instruction": instruction, "input": input, "output": answer,
                   "text": "Below is an instruction that describes a task. …"},
        "LIMA": {"conversations": [question, answer], "source": "stackexchange"},
        "prompt/completion": {"prompt": question, "completion": answer},
        "messages": {"messages": messages},
        "preference": {"prompt": question, "chosen": answer, "rejected": "Lyon"},
    }  # fmt: skip


QUESTION, ANSWER = "Name the capital.\nFrance", "Paris"
USER, ASSISTANT = {"role": "user", "content": QUESTION}, {"role": "assistant", "content": ANSWER}
WRONG = {"role": "assistant", "content": "Lyon"}
HUMAN, GPT = {"from": "human", "value": QUESTION}, {"from": "gpt", "value": ANSWER}
ROWS = rows("Name the capital.", "France", "Paris")
VARIANTS = {
    **ROWS,
    "OpenHermes without its other columns": {"conversations": [HUMAN, GPT], "system_prompt": None},
    "prompt/completion of messages": {"prompt": [USER], "completion": [ASSISTANT]},
    "preference of messages": {"prompt": [USER], "chosen": [ASSISTANT], "rejected": [WRONG]},
    "preference with the prompt inside": {"chosen": [USER, ASSISTANT], "rejected": [USER, WRONG]},
    "UltraFeedback": {"prompt": QUESTION, "prompt_id": "a", "chosen": [USER, ASSISTANT],
                      "rejected": [USER, WRONG], "score_chosen": 8.5, "score_rejected": 3.0},
    "unpaired preference": {"prompt": QUESTION, "completion": ANSWER, "label": True},
    "Flan of Muennighoff": {"inputs": QUESTION, "targets": ANSWER, "task": "capitals"},
    "Alpaca without input": {"instruction": QUESTION, "input": "", "output": ANSWER},
    "null columns of a merged table": {"messages": None, **ROWS["Dolly"], "completion": None},
}  # fmt: skip
CONVERSATION = [USER, ASSISTANT]
