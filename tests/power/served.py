"""The service with another sync mode and log size in pages; these two are its first arguments."""

import sys

from adapters.sqlite import checkpoints, connections
from entrypoints.cli import main

synchronous, pages, *arguments = sys.argv[1:]
pragmas = [each.replace("synchronous=FULL", f"synchronous={synchronous}") for each in connections._PRAGMAS]
assert any("synchronous=" in each for each in pragmas)
setattr(connections, "_PRAGMAS", pragmas)  # noqa: B010 - mypy knows it as a tuple of fixed length
checkpoints.PAGES = int(pages)

if __name__ == "__main__":
    sys.exit(main(arguments))
