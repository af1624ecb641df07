"""Conversations written as one string, with the speakers' names in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ift_course.data.records import Turn

USER_NAMES = ("human", "user", "instruction", "prompter")
ASSISTANT_NAMES = ("assistant", "gpt", "response")


@dataclass(frozen=True)
class TranscriptFormat:
    """How a transcript marks its speakers.

    Attributes:
        speaker: matches the mark before a turn; its group is the speaker's name.
        end: what closes a turn.
    """

    speaker: re.Pattern[str]
    end: str = ""


# Anthropic's HH-RLHF and files in its format.
HH = TranscriptFormat(re.compile(r"\n\n(Human|Assistant):[ ]?"))
FORMATS = (
    HH,
    # openassistant-guanaco: "### Human: Hi### Assistant: Hello"
    TranscriptFormat(re.compile(r"\s*### (System|Human|User|Assistant|GPT):[ ]?")),
    # Prompts of Stanford Alpaca.
    TranscriptFormat(re.compile(r"\s*### (Instruction|Input|Response):[ ]?")),
    TranscriptFormat(re.compile(r"\s*<\|im_start\|>(system|user|assistant)\n"), "<|im_end|>"),
)


def parse_transcript(
    text: str, formats: tuple[TranscriptFormat, ...] = FORMATS
) -> tuple[Turn, ...]:
    """The turns of a transcript; none if it fits none of the formats, or several."""
    readings = [turns for format_ in formats if (turns := _parse(text, format_))]
    return readings[0] if len(readings) == 1 else ()


def _parse(text: str, format_: TranscriptFormat) -> tuple[Turn, ...]:
    # Only the opening sentence of Alpaca's prompt may come before the first speaker.
    pieces = format_.speaker.split(text if text.startswith("\n\n") else f"\n\n{text}")
    if len(pieces) < 3 or (pieces[0].strip() and "Instruction" not in format_.speaker.pattern):
        return ()
    turns: list[Turn] = []
    for speaker, words in zip(pieces[1::2], pieces[2::2], strict=True):
        content = words.strip().removesuffix(format_.end).strip()
        if speaker == "Input" and turns:
            turns[-1] = Turn("user", f"{turns[-1].content}\n{content}")
            continue
        turns.append(Turn(_role(speaker.lower()), content))
    while turns and not turns[-1].content:  # a prompt that ends with "\n\nAssistant:"
        turns.pop()
    return tuple(turns) if turns and any(turn.role == "user" for turn in turns) else ()


def _role(speaker: str) -> str:
    if speaker in USER_NAMES:
        return "user"
    return "assistant" if speaker in ASSISTANT_NAMES else "system"
