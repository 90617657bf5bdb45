"""The command `backroom`, also as `python -m entrypoints`."""

import os
import sys

from entrypoints.diagnostics import LOG, speak
from entrypoints.installation import conflict


def main() -> int:
    """Run the command line, unless another distribution's packages could be taken for the program's own."""
    if (reason := conflict()) is not None:
        speak(os.environ.get("BACKROOM_LOG", ""))
        LOG.error(reason)
        return 1
    from entrypoints import cli  # noqa: PLC0415 - before that check, it may be another program's

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
