"""The service as it is, but its clock is 400 days ahead."""

import sys
from datetime import datetime, timedelta

from entrypoints import stores, wiring
from entrypoints.cli import main

right = stores.now


def ahead() -> datetime:
    """Return the time in 400 days."""
    return right() + timedelta(days=400)


for module in (stores, wiring):
    vars(module)["now"] = ahead

if __name__ == "__main__":
    sys.exit(main())
