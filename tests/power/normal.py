"""The service as it is, but with `synchronous=NORMAL`: what it acknowledges is not synced yet."""

import sys

from adapters.sqlite import connections
from entrypoints.cli import main

pragmas = [each.replace("synchronous=FULL", "synchronous=NORMAL") for each in connections._PRAGMAS]
assert pragmas != list(connections._PRAGMAS)
setattr(connections, "_PRAGMAS", pragmas)  # noqa: B010 - mypy knows it as a tuple of so many

if __name__ == "__main__":
    sys.exit(main())
