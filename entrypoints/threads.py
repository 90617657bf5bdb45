"""How threads share the interpreter."""

import sys

THREAD_SWITCH_S = 0.0005
"""How long a thread may compute while another waits to. By Python's own 5 ms, a large request in a thread would hold up
the event loop, and each statement of the writer, by as much again and again."""


def switch_often() -> None:
    """Let no thread of this process wait long for its turn to compute."""
    sys.setswitchinterval(THREAD_SWITCH_S)
