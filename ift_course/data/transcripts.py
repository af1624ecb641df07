"""Conversations written into one string, with the speakers' names in it."""

import re
from dataclasses import dataclass

from ift_course.data.records import Turn

USER, ANSWERER = ("human", "user", "instruction", "prompter"), ("assistant", "gpt", "response")


@dataclass(frozen=True)
class Style:
    """How speakers are marked: a pattern with the name as its group, and what ends a turn."""

    speaker: re.Pattern[str]
    end: str = ""


# Anthropic's HH-RLHF and files made like it.
HH = Style(re.compile(r"\n\n(Human|Assistant):[ ]?"))
STYLES = (
    HH,
    # openassistant-guanaco: "### Human: Hi### Assistant: Hello"
    Style(re.compile(r"\s*### (System|Human|User|Assistant|GPT):[ ]?")),
    # Prompts of Stanford Alpaca.
    Style(re.compile(r"\s*### (Instruction|Input|Response):[ ]?")),
    Style(re.compile(r"\s*<\|im_start\|>(system|user|assistant)\n"), "<|im_end|>"),
)


def transcript(text: str, styles: tuple[Style, ...] = STYLES) -> tuple[Turn, ...]:
    """The turns of a string in one of `styles`; none if it is written in none or several."""
    readings = [turns for style in styles if (turns := _read(text, style))]
    return readings[0] if len(readings) == 1 else ()


def _read(text: str, style: Style) -> tuple[Turn, ...]:
    # What stands before the first speaker may only be the sentence of Alpaca's prompt.
    pieces = style.speaker.split(text if text.startswith("\n\n") else f"\n\n{text}")
    if len(pieces) < 3 or (pieces[0].strip() and "Instruction" not in style.speaker.pattern):
        return ()
    turns: list[Turn] = []
    for speaker, words in zip(pieces[1::2], pieces[2::2], strict=True):
        content = words.strip().removesuffix(style.end).strip()
        if speaker == "Input" and turns:
            turns[-1] = Turn("user", f"{turns[-1].content}\n{content}")
            continue
        turns.append(Turn(_role(speaker.lower()), content))
    while turns and not turns[-1].content:  # a prompt that ends "\n\nAssistant:"
        turns.pop()
    return tuple(turns) if turns and any(turn.role == "user" for turn in turns) else ()


def _role(speaker: str) -> str:
    return "user" if speaker in USER else "assistant" if speaker in ANSWERER else "system"
