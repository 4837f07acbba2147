"""The command line as a page, made of the help that the commands themselves give."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import typer
from prose import block, code, escaped, table

import biosnn.cli.entry  # noqa: F401 - it adds all commands
from biosnn.cli.app import app

_ABOUT = """# Commands

What `biosnn --help` and `biosnn COMMAND --help` say. In a checkout, `biosnn` stands for `.venv/bin/biosnn`.
"""


def write_commands(page: Path) -> None:
    """Write the page of all commands."""
    group: Any = typer.main.get_command(app)
    context = group.make_context("biosnn", [], resilient_parsing=True)
    shown = {name: command for name, command in group.commands.items() if not command.hidden}
    rows = [(f"[{name}](#biosnn-{name})", _summary(command.help)) for name, command in shown.items()]
    parts = [_ABOUT, table(("command", "what it does"), rows), "## All commands\n", _parameters(group, context)]
    parts += [escaped(group.epilog), ""]
    for name, command in shown.items():
        inside = command.make_context(name, [], parent=context, resilient_parsing=True)
        usage = re.sub(r"\s+", " ", command.get_usage(inside)).removeprefix("Usage: ")
        parts += [f"## biosnn {name}\n", _prose(command.help), block(usage), _parameters(command, inside)]
    page.write_text("\n".join(parts), encoding="utf-8")


def _summary(text: str) -> str:
    return _prose(text.partition("\n\n")[0]).replace("\n", " ").strip()


def _prose(text: str) -> str:
    """The text of a command's help, in which [b]words[/b] are bold."""
    pieces = re.split(r"\[b\](.*?)\[/b\]", text)
    return "".join(f"**{escaped(piece)}**" if odd % 2 else escaped(piece) for odd, piece in enumerate(pieces)) + "\n"


def _parameters(command: Any, context: Any) -> str:
    rows = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record:
            words = re.sub(r"\s*<[\w\[\]]+>$", "", record[0])  # the type, which the description implies
            rows.append((code(words), escaped(record[1])))
    return table(("argument or option", "meaning"), rows)
