"""Crashes the interpreter in a call."""

import ctypes


def next_token_loss(*_):
    ctypes.string_at(0)


greedy_decode = next_token_loss
