"""The front door: `tatpar COMMAND`. Each command is a module that is imported only when it is called."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

import click

from tatpar.terminal.screen import guarded

COMMANDS: Final[dict[str, str]] = {
    "up": "everything on one machine: broker, collector, store, analytics, alerts, wall",
    "probe": "the office's agent: measure, spool, publish",
    "reflect": "the headquarters' STAMP reflector",
    "broker": "mosquitto with its door for offices, as a process of its own",
    "collect": "take in, check, store and confirm reports",
    "watch": "raise flags, issue verdicts and forecasts, settle outcomes",
    "wall": "serve the wall",
    "users": "who may sign in to the wall, and links that only show it",
    "ready": "the verdict table of the next meetings",
    "rehearse": "try the load of the call on all invited offices",
    "flags": "degraded offices now, worst first",
    "incidents": "faults that several offices share",
    "changes": "where a line's level moved",
    "call": "what the calls in a capture got: loss, jitter, frames, freezes",
    "gaps": "what is missing in the store and since when",
    "alerts": "tell the in-charges, and list what was told",
    "report": "the readiness reports",
    "backtest": "replay history and score the forecast",
    "sites": "list and check the offices",
    "meetings": "list and check the meetings",
    "enroll": "let a probe in: credentials, broker user, access, the office's file",
    "revoke": "let a probe, or an office, in no more",
    "command": "tell a probe to do something, and hear what it says",
    "history": "other people's measurements as our own past",
    "grafana": "Grafana dashboards from the store's own names, as files or to a server",
    "store": "the report store: set up, back up, verify, restore",
    "lab": "the emulated fleet: break, heal, history",
    "refused": "messages that were refused, and why",
    "doctor": "check clock, permissions, time stamps, broker, store, reflector; say what to do",
}


class LazyGroup(click.Group):
    """A group that knows its commands' names without importing them, so that --help stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names in the order of a day's work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"tatpar.commands.{cmd_name}").command
        return command

    def main(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - click's signature
        """Run a command line, with nothing on its way to the terminal but what can be read."""
        with guarded():
            return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; a library of the hub that an office's install has not is one clear line."""
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            from tatpar.terminal.extras import needs_extra  # noqa: PLC0415 - only when it happens

            if (said := needs_extra(error, ctx.invoked_subcommand or "")) is None:
                raise
            raise said from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(package_name="tatpar")
def main() -> None:
    """Tatpar tells, before a video meeting starts, which offices will hold the call and which will not, and why.

    Example: tatpar up --lab
    """


if __name__ == "__main__":
    main()
