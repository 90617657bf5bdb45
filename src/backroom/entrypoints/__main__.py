"""`python -m backroom.entrypoints` is `backroom`."""

import sys

from backroom.entrypoints.cli import main

if __name__ == "__main__":
    sys.exit(main())
