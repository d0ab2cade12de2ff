"""The command line, `hermes`: each command imports its own module, so that all of them start fast."""

import argparse
import asyncio
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final, cast

from deploy.local.errors import LocalStackError
from domain.errors import ConfigError, TransientError

EXIT_USER, EXIT_UNSOUND, EXIT_INTERRUPTED = 2, 1, 130
DSN_VARIABLE: Final = "HERMES_POSTGRES"
REGISTRY_VARIABLE: Final = "HERMES_REGISTRY"
DEFAULT_STATE = Path(".hermes")
ROLES: Final = ("gateway", "pipeline", "egress", "archive", "insight")

Main = Callable[[list[str]], int]


@dataclass(frozen=True, slots=True)
class Delegated:
    """A command with a command line of its own, `main(arguments)` of a module."""

    module: str
    help: str


DELEGATED: Final = {
    "demo": Delegated("streams.demo", "start a fresh stack, send messages, show what happened"),
    "bench": Delegated("streams.bench", "measure the whole path, its parts and its limits"),
    "crash": Delegated("streams.crash", "kill everything at random under load, and check every promise"),
    "sim": Delegated("streams.sim", "run the pipeline in virtual time with faults of a seed, and check every promise"),
    "fuzz": Delegated("streams.fuzz", "hostile input for every parser, from a seed"),
    "conformance": Delegated("streams.conformance", "run the wire code over a folder of test vectors"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say; an error of the user is one sentence on standard error and status 2."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if given and given[0] in DELEGATED:
            run = cast(Main, importlib.import_module(DELEGATED[given[0]].module).main)
            return run(given[1:])
        options = parser().parse_args(given)
        command = cast(Callable[[argparse.Namespace], int], options.command)
        return command(options)
    except (ConfigError, LocalStackError, TransientError) as error:
        sys.stderr.write(f"hermes: {error}\n")
        return EXIT_USER
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # `hermes config | head`: nobody reads any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    found = argparse.ArgumentParser(prog="hermes", description="A multi-tenant, multi-channel message delivery broker.")
    found.add_argument("--version", action="version", version=version("hermes-delivery"))
    commands = found.add_subparsers(title="commands", metavar="COMMAND", required=True)

    one = commands.add_parser("up", help="run everything on this machine until Ctrl-C")
    one.add_argument(
        "--config", type=Path, metavar="FILE", help="settings (hermes config shows all); none: the sandbox"
    )
    _add_state(one)
    one.add_argument("--ready-file", type=Path, metavar="FILE", help="written when everything answers; has credentials")
    one.add_argument("--kafka", default="", metavar="HOST:PORT", help="a Kafka that exists already")
    _add_postgres(one)
    _add_registry(one)
    one.add_argument("--json", action="store_true", help="one JSON object a line instead of lines for people")
    one.set_defaults(command=_up)

    one = commands.add_parser("run", help="run one role in the foreground")
    one.add_argument("role", choices=ROLES)
    _add_state(one)
    one.add_argument("--kafka", required=True, metavar="HOST:PORT")
    _add_postgres(one)
    _add_registry(one)
    one.add_argument("--config", type=Path, metavar="FILE")
    one.add_argument("--slot", type=int, default=0, help="of a gateway: its partition of the verdicts")
    one.set_defaults(command=_run)

    one = commands.add_parser("config", help="print a settings file with every key, or check one")
    one.set_defaults(command=_config_print)
    inner = one.add_subparsers(metavar="check FILE")
    two = inner.add_parser("check", help="say everything that is wrong with a settings file")
    two.add_argument("file", type=Path)
    two.set_defaults(command=_config_check)

    one = commands.add_parser("topology", help="prove the topology sound, or draw it")
    inner = one.add_subparsers(metavar="check|draw", required=True)
    inner.add_parser("check", help="status 1 and a sentence for each problem").set_defaults(command=_topology_check)
    two = inner.add_parser("draw", help="as text, or for a page as Mermaid")
    two.add_argument("--mermaid", action="store_true")
    two.set_defaults(command=_topology_draw)

    one = commands.add_parser("billing", help="check the money")
    inner = one.add_subparsers(metavar="verify", required=True)
    two = inner.add_parser("verify", help="add up every tenant's ledger; status 1 when one is not sound")
    two.add_argument("--tenant", metavar="ID", help="only this one")
    _add_state(two)
    _add_postgres(two)
    two.set_defaults(command=_billing_verify)

    one = commands.add_parser("schemas", help="the Avro schemas")
    inner = one.add_subparsers(metavar="write", required=True)
    inner.add_parser("write", help="bring schemas/avro up to date with the code").set_defaults(command=_schemas_write)

    for name, delegated in DELEGATED.items():
        commands.add_parser(name, help=delegated.help, add_help=False)
    commands.add_parser("version", help="print the version").set_defaults(command=_version)
    return found


def _add_state(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--state", type=Path, default=DEFAULT_STATE, metavar="DIR", help="what outlives a stop (default: .hermes)"
    )


def _add_postgres(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--postgres",
        default=os.environ.get(DSN_VARIABLE, ""),
        metavar="DSN",
        help=f"a PostgreSQL that exists already; better by ${DSN_VARIABLE}, which other users cannot read",
    )


def _add_registry(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--registry",
        default=os.environ.get(REGISTRY_VARIABLE, ""),
        metavar="URL",
        help=f"a Confluent Schema Registry that gives the schema ids (default: the checked-in ones); with a password by"
        f" ${REGISTRY_VARIABLE}",
    )


def _up(options: argparse.Namespace) -> int:
    from streams.up import UpOptions, up  # noqa: PLC0415 - only this command needs it

    wanted = UpOptions(
        options.state, options.config, options.ready_file, options.kafka, options.postgres, options.registry,
        json=options.json,
    )  # fmt: skip
    return up(wanted)


def _run(options: argparse.Namespace) -> int:
    from streams.roles.start import start_role  # noqa: PLC0415 - only this command needs it

    return start_role(
        options.role, options.state, options.kafka, options.postgres, options.config, options.slot, options.registry
    )


def _config_print(_: argparse.Namespace) -> int:
    from streams.settings.example import example  # noqa: PLC0415 - only this command needs it

    print(example(), end="")
    return 0


def _config_check(options: argparse.Namespace) -> int:
    from streams.settings.load import load  # noqa: PLC0415 - only this command needs it
    from streams.settings.resolve import pools_of_file  # noqa: PLC0415 - the same

    pools_of_file(load(options.file))
    print(f"{options.file}: nothing is wrong")
    return 0


def _topology_check(_: argparse.Namespace) -> int:
    from streams.check import HERMES, check  # noqa: PLC0415 - only this command needs it

    problems = check()
    for problem in problems:
        print(problem)
    if not problems:
        print(f"sound: {len(HERMES.nodes)} agents, {len(HERMES.topics)} topics, {len(HERMES.tables)} tables")
    return EXIT_UNSOUND if problems else 0


def _topology_draw(options: argparse.Namespace) -> int:
    from streams.draw import as_mermaid, as_text  # noqa: PLC0415 - only this command needs it

    print(as_mermaid() if options.mermaid else as_text(), end="")
    return 0


def _billing_verify(options: argparse.Namespace) -> int:
    from deploy.local.postgres import Postgres  # noqa: PLC0415 - only this command needs it
    from egress.archive.ledger import verify  # noqa: PLC0415 - the same

    dsn = options.postgres or Postgres(options.state).dsn
    try:
        checks = asyncio.run(verify(dsn, options.tenant))
    except OSError as error:
        raise ConfigError(f"PostgreSQL does not answer ({type(error).__name__}): is Hermes up?") from error
    for one in checks:
        print(
            f"{'sound' if one.sound else 'UNSOUND'}  {one.tenant_id}  entries {one.entries}  granted {one.granted_micros}"
            f"  spent {one.spent_micros}  reserved {one.reserved_micros}  available {one.available_micros}"
            f"  missing {one.missing}  doubled {one.doubled}"
        )
    if not checks:
        print("no entries")
    return 0 if all(one.sound for one in checks) else EXIT_UNSOUND


def _schemas_write(_: argparse.Namespace) -> int:
    from schemas.catalogue import TYPES  # noqa: PLC0415 - only this command needs it
    from schemas.registry import FOLDER, write_files  # noqa: PLC0415 - the same

    write_files(TYPES)
    print(f"{FOLDER}: {len(TYPES)} records")
    return 0


def _version(_: argparse.Namespace) -> int:
    print(version("hermes-delivery"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
