"""The commands of the command line, one module each: `command` is what `entrypoints/cli.py` finds there."""
