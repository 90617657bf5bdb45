"""The command that moves everything from one store to another."""

import click

from entrypoints.copying import Words, fault, run
from entrypoints.output import Output, output_options

WORDS = Words("moving", "moved")


@click.command
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@output_options
def command(source: str, target: str, mode: str | None) -> int:
    r"""Move everything from one store to another, which must be empty, and which nobody may have open.

    FROM is only read; TO takes it over. Each is sqlite:///PATH or postgresql://…. Stop the service first: what is
    written meanwhile does not come along. All is moved, or nothing.

    \b
    Example:
      backroom move sqlite:///data/backroom.db sqlite:///copy.db
    """
    if found := fault("FROM", source) or fault("TO", target) or (source == target and "FROM and TO are the same"):
        raise click.UsageError(found)
    return run(source, target, WORDS, Output(mode))
