"""The `openear` command. Each command imports what it needs when it runs, so that --help is quick."""

import sys
import warnings

import typer

from core.errors import OpenearError
from jobs import cli_evaluate, cli_forecast, cli_listen, cli_run, cli_work

app = typer.Typer(
    name="openear",
    help="The open-source listening service for public agencies.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for part in (cli_run, cli_listen, cli_evaluate, cli_forecast, cli_work):
    app.registered_commands += part.app.registered_commands
    app.registered_groups += part.app.registered_groups


def main() -> None:
    """Run the command. Exit codes: 0 done, 1 failed, 2 wrong use."""
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    try:
        app()
    except OpenearError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
