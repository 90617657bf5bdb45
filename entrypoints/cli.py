"""The command line: which commands there are, and how each of them ends."""

import os
from collections.abc import Sequence
from importlib import import_module
from keyword import iskeyword
from typing import Any

import click

from entrypoints.diagnostics import LOG, speak, tell
from entrypoints.settings import PREFIX

FAILED, BAD_USAGE, INTERRUPTED = 1, 2, 130

SECTIONS = {
    "Service": ("serve", "mcp", "keys", "doctor", "openapi"),
    "Data": ("export", "import", "backup", "restore", "move", "verify"),
}


class Commands(click.Group):
    """Finds each command in the module of its name, so no command waits for another's imports."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return [name for names in SECTIONS.values() for name in names]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command: click.Command = import_module(f"entrypoints.commands.{module}").command
        _lay_out(command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command. click would answer Ctrl-C with an empty line, which is no JSON."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            tell("")  # behind the ^C that the terminal shows
            raise click.Abort from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Show the commands, grouped by purpose."""
        for section, names in SECTIONS.items():
            commands = ((name, self.get_command(ctx, name)) for name in names)
            with formatter.section(section):
                formatter.write_dl([(name, command.get_short_help_str(80)) for name, command in commands if command])


def _lay_out(command: click.Command) -> None:
    """Keep the lines of the examples apart: click knows such a paragraph by a backspace, and a docstring is raw."""
    command.help = (command.help or "").replace("\\b\n", "\b\n")
    for each in command.commands.values() if isinstance(command, click.Group) else ():
        _lay_out(each)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="backroom", message="backroom %(version)s")
def backroom() -> None:
    """Tasks and products behind one small HTTP service."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 1 for a failure, 2 for bad usage, 130 after Ctrl-C."""
    speak(os.environ.get(f"{PREFIX}LOG", ""))
    try:
        code = backroom.main(arguments, prog_name="backroom", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        (tell if error.ctx is None or error.ctx.parent is not None else click.echo)(error.format_message())
        return BAD_USAGE
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx is not None else "backroom"
        LOG.error("%s (see %s --help)", error.format_message().rstrip("."), where)
        return BAD_USAGE
    except click.ClickException as error:
        LOG.error("%s", error.format_message())
        return FAILED
    except click.Abort:
        LOG.error("interrupted")
        return INTERRUPTED
    return code if isinstance(code, int) else 0
