"""One conversation, as each publisher would write it: for lessons and tests."""


def rows(instruction: str, input: str, answer: str) -> dict[str, dict]:
    """The same question and answer in the layout of each data set, by its name.

    The columns are those of the cards cited in docs/datasets.md.
    """
    ask = f"{instruction}\n{input}" if input else instruction
    said = [{"role": "user", "content": ask}, {"role": "assistant", "content": answer}]
    shared = [{"from": "human", "value": ask}, {"from": "gpt", "value": answer}]
    return {
        "OpenHermes": {
            "custom_instruction": None, "topic": None, "model_name": None, "model": None,
            "skip_prompt_formatting": False, "category": "orca", "views": None, "language": None,
            "id": None, "title": None, "idx": None, "hash": None, "avatarUrl": None,
            "system_prompt": None, "source": "airoboros2.2",
            "conversations": [turn | {"weight": None} for turn in shared],
        },
        "UltraChat": {"prompt": ask, "prompt_id": "f0e37e9f", "messages": said},
        "Dolly": {"instruction": instruction, "context": input, "response": answer,
                  "category": "closed_qa"},
        "ShareGPT": {"id": "QWJhYvA_0", "conversations": shared},
        "Flan": {"inputs": ask, "targets": answer, "_template_idx": 3, "_task_source": "Flan2021",
                 "_task_name": "capitals:1.0.0", "_template_type": "zs_noopt"},
        "Alpaca": {"instruction": instruction, "input": input, "output": answer,
                   "text": "Below is an instruction that describes a task. …"},
        "LIMA": {"conversations": [ask, answer], "source": "stackexchange"},
        "prompt/completion": {"prompt": ask, "completion": answer},
        "messages": {"messages": said},
        "preference": {"prompt": ask, "chosen": answer, "rejected": "Lyon"},
    }  # fmt: skip


ASK, ANSWER = "Name the capital.\nFrance", "Paris"
USER, ASSISTANT = {"role": "user", "content": ASK}, {"role": "assistant", "content": ANSWER}
WRONG = {"role": "assistant", "content": "Lyon"}
HUMAN, GPT = {"from": "human", "value": ASK}, {"from": "gpt", "value": ANSWER}
ROWS = rows("Name the capital.", "France", "Paris")
VARIANTS = {
    **ROWS,
    "OpenHermes without its other columns": {"conversations": [HUMAN, GPT], "system_prompt": None},
    "prompt/completion of messages": {"prompt": [USER], "completion": [ASSISTANT]},
    "preference of messages": {"prompt": [USER], "chosen": [ASSISTANT], "rejected": [WRONG]},
    "preference with the prompt inside": {"chosen": [USER, ASSISTANT], "rejected": [USER, WRONG]},
    "UltraFeedback": {"prompt": ASK, "prompt_id": "a", "chosen": [USER, ASSISTANT],
                      "rejected": [USER, WRONG], "score_chosen": 8.5, "score_rejected": 3.0},
    "unpaired preference": {"prompt": ASK, "completion": ANSWER, "label": True},
    "Flan of Muennighoff": {"inputs": ASK, "targets": ANSWER, "task": "capitals"},
    "Alpaca without input": {"instruction": ASK, "input": "", "output": ANSWER},
    "null columns of a merged table": {"messages": None, **ROWS["Dolly"], "completion": None},
}  # fmt: skip
CONVERSATION = [USER, ASSISTANT]
