"""The commands, and how they end: 0 good, 1 the answer is bad news, 2 could not do it."""

import sys
import traceback
from typing import Annotated

import cyclopts
from cyclopts import App, Parameter
from cyclopts.validators import Number
from pydantic import ValidationError

from adapters import bootstrap
from adapters.cli.exporting import export
from adapters.cli.investigate import investigate
from adapters.cli.keys import keys
from adapters.cli.output import complain, print_json, say, tell_of_new_database
from adapters.cli.quarantine import quarantine
from adapters.cli.reconstruct import reconstruct
from adapters.cli.running import run, settings
from adapters.cli.signing_keys import signing_keys
from adapters.cli.tail import tail
from adapters.cli.verify import verify
from adapters.cli.work import play_estate, rebuild_projection
from adapters.cli.workers import serve_with_workers
from adapters.demo.errors import DemoError
from adapters.embedded import EmbeddedPostgresError
from adapters.observability.logs import configure_logs
from domain.errors import AuditError

GOOD, BAD_NEWS, COULD_NOT = 0, 1, 2

app = App(name="certinext-audit", help="The audit trail of CertiNext.", result_action="return_value")
app.command(keys)
app.command(quarantine)
app.command(verify)
app.command(export)
app.command(signing_keys)
app.command(reconstruct)
app.command(investigate)
app.command(tail)


@app.command
def serve(*, workers: Annotated[int, Parameter(validator=Number(gte=1, lte=64))] = 1) -> int:
    """Run the service until it is told to stop.

    Parameters
    ----------
    workers
        How many processes share the port; one that dies is replaced.
    """
    configured = settings()
    configure_logs(configured.log_level)
    with bootstrap.database(configured, tell_of_new_database) as url:
        if workers == 1:
            run(bootstrap.serve(url, configured, _say_where))
        else:
            run(serve_with_workers(configured, workers, _say_where))
    return GOOD


def _say_where(address: str) -> None:
    say(f"The audit trail listens on {address}")


@app.command
def demo(*, live: bool = True) -> int:
    """Play a CertiNext estate: ninety days of history, then live traffic.

    Parameters
    ----------
    live
        Go on with live traffic until told to stop.
    """
    configured = settings()
    configure_logs("warning")
    with bootstrap.database(configured, tell_of_new_database) as url:
        run(play_estate(url, configured, live=live))
    return GOOD


@app.command
def migrate(*, json: bool = False) -> int:
    """Bring the database to the schema of this version."""
    version = bootstrap.migrate_database(settings(), tell_of_new_database)
    if json:
        print_json({"schema_version": version})
    else:
        say(f"The database is at schema version {version}.")
    return GOOD


@app.command
def rebuild(projection: str, /, *, json: bool = False) -> int:
    """Fill a projection's tables anew from the ledger; queries go on meanwhile.

    Parameters
    ----------
    projection
        activity, users, modules, statuses, merkle, entities or findings.
    """
    configured = settings()
    with bootstrap.database(configured) as url:
        events = run(rebuild_projection(url, configured, projection, show_progress=not json))
    if json:
        print_json({"projection": projection, "events": events})
    else:
        say(f"{projection} is rebuilt from {events:,} events.")
    return GOOD


class UnreadableArgument(AuditError):
    """An argument that is no text."""


def _arguments() -> list[str]:
    for argument in sys.argv[1:]:
        if any("\ud800" <= letter <= "\udfff" for letter in argument):
            raise UnreadableArgument(f"the argument {argument!r} is not in UTF-8")
    return sys.argv[1:]


def main() -> None:
    """Run the command that the process was called with, and exit."""
    configure_logs("warning")
    try:
        code = app(_arguments(), exit_on_error=False)
    except cyclopts.CycloptsError:
        code = COULD_NOT  # cyclopts has said why.
    except ValidationError as error:
        for item in error.errors(include_url=False, include_input=False):
            name = "CERTINEXT_AUDIT_" + "_".join(map(str, item["loc"])).upper()
            complain(f"{name}: {item['msg']}")
        code = COULD_NOT
    except (AuditError, EmbeddedPostgresError, DemoError) as error:
        complain(str(error))
        code = COULD_NOT
    except Exception:  # 1 means bad news, and a defect of ours is none about the trail.
        traceback.print_exc()
        code = COULD_NOT
    sys.exit(code)
