"""`python -m deploy.licences check | notices | sbom`."""

from __future__ import annotations

from pathlib import Path

import click

from deploy.licences.installed import installed_parts
from deploy.licences.notices import NOTICES, notices
from deploy.licences.policy import load_policy
from deploy.licences.sbom import sbom
from deploy.licences.vendored import foreign_files, load_vendored, unowned


@click.group(help="Licences of what others wrote: the check, the notices, the bill of materials.")
def main() -> None:
    """The three commands below."""


@main.command()
def check() -> None:
    """Status 1, and a line each, when a licence is not allowed or a vendored file is not put down."""
    policy = load_policy()
    rows = load_vendored()
    parts = [*installed_parts(policy.read), *(row.part for row in rows)]
    objections = [text for part in parts if (text := policy.objection(part))]
    objections += [
        f"{path}: nobody has put down whose it is; add it to vendored.toml"
        for path in unowned(rows, foreign_files())
    ]
    for text in objections:
        click.echo(text, err=True)
    if objections:
        raise SystemExit(1)
    click.echo(f"{len(parts)} parts, every licence allowed")


@main.command(name="notices")
def write_notices() -> None:
    """Write THIRD_PARTY_NOTICES.md anew."""
    parts = [*installed_parts(load_policy().read), *(row.part for row in load_vendored())]
    NOTICES.write_text(notices(parts), encoding="utf-8")
    click.echo(f"wrote {NOTICES.name}")


@main.command(name="sbom")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="File; default: standard output.",
)
def write_sbom(out: Path | None) -> None:
    """Write the bill of materials (CycloneDX 1.6 JSON) of what is installed here."""
    text = sbom([*installed_parts(load_policy().read), *(row.part for row in load_vendored())])
    if out is None:
        click.echo(text, nl=False)
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    click.echo(f"wrote {out}", err=True)


if __name__ == "__main__":
    main()
