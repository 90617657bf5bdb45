"""The service as it is, but its clock is 400 days ahead."""

import sys
from datetime import datetime, timedelta

from entrypoints import wiring
from entrypoints.cli import main

right = wiring.now


def ahead() -> datetime:
    """Return the time in 400 days."""
    return right() + timedelta(days=400)


setattr(wiring, "now", ahead)  # noqa: B010 - a plain assignment would be to a name that mypy knows as a function

if __name__ == "__main__":
    sys.exit(main())
