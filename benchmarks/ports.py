"""Ports that nobody listens on."""

import socket


def free_port() -> int:
    """One of this machine's, free a moment ago."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
