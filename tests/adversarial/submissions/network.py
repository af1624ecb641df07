"""Asks somebody else for the answers: TCP, UDP, and the names of Unix sockets."""

import os
import socket

PORT = 17_171
reached = []


def attempt(family, kind, address):
    try:
        with socket.socket(family, kind) as connection:
            connection.settimeout(1)
            connection.connect(address)
            connection.send(b"what is the answer?")
            reached.append(address)
    except OSError:
        pass


for host in ("127.0.0.1", "8.8.8.8"):
    attempt(socket.AF_INET, socket.SOCK_STREAM, (host, PORT))
    attempt(socket.AF_INET, socket.SOCK_DGRAM, (host, PORT))
attempt(socket.AF_UNIX, socket.SOCK_STREAM, "\0ift-adversarial")
attempt(socket.AF_UNIX, socket.SOCK_STREAM, "/tmp/ift-adversarial.sock")


def next_token_loss(*_):
    if reached:
        os._exit(1)
    return 0


greedy_decode = next_token_loss
