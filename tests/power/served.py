"""The service as it is, but for how it syncs, and how many pages of its log it leaves; run with these two first."""

import sys

from adapters.sqlite import checkpoints, connections
from entrypoints.cli import main

synchronous, pages, *arguments = sys.argv[1:]
pragmas = [each.replace("synchronous=FULL", f"synchronous={synchronous}") for each in connections._PRAGMAS]
assert any("synchronous=" in each for each in pragmas)
setattr(connections, "_PRAGMAS", pragmas)  # noqa: B010 - mypy knows it as a tuple of so many
checkpoints.PAGES = int(pages)

if __name__ == "__main__":
    sys.exit(main(arguments))
