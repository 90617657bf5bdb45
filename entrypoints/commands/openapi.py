"""The command that prints the OpenAPI document."""

import click

from entrypoints.documentation import openapi


@click.command
def command() -> None:
    r"""Print the OpenAPI document as JSON.

    \b
    Example:
      backroom openapi > openapi.json
    """
    click.echo(openapi(), nl=False)
