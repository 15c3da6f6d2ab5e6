"""The offices and paths that a mapping writes itself: they must be ours, and that is known before any file of data is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.calendar_files import is_built_in
from config.names import is_id
from config.text import nearest, one_of
from config.toml_file import TomlFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.config import Config
    from config.errors import ConfigError
    from config.toml_lines import KeyPath
    from tatpar.importing.mapping import Mapping, Named

USUAL_UPLINK: Final = "main"


class OurNames:
    """The deployment's offices, and the ends that paths lead to."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._sites = tuple(config.registry.by_id)
        self._ends = (*config.headquarters, *self._sites)

    def is_site(self, name: str) -> bool:
        """Whether it is the id of an office of ours."""
        return name in self._sites

    def is_path(self, name: str) -> bool:
        """Whether it is `<uplink>.<end>`, and the end one of ours."""
        uplink, _, end = name.partition(".")
        return is_id(uplink) and end in self._ends

    def site_instead(self, name: str) -> str:
        """What to do about an office that is none: the nearest that is one, or how it becomes one.

        The built-in list lies within the installation, where the next release writes it anew: nobody is sent there.
        """
        sites, settings = self._config.sources.sites, self._config.file
        own = self._config.settings.files.sites
        if not is_built_in(sites):
            add = f"add it to {sites}"
        elif is_built_in(settings):
            add = (
                f"put a {own} with your offices beside a tatpar.toml of your own and name that with --config"
            )
        else:
            add = f"put a {own} with your offices beside {settings}"
        return f"{one_of(name, self._sites)}, or {add}"

    def path_instead(self, name: str) -> str:
        """What to write for a path that is none."""
        uplink, dot, end = name.partition(".")
        close = nearest(end if dot else name, self._ends)
        if close is None:
            return f"write <uplink>.<end>, as {USUAL_UPLINK}.{self._ends[0]}"
        uplink = uplink.lower()
        return f'write "{uplink if dot and is_id(uplink) else USUAL_UPLINK}.{close}"'


def check_names(ours: OurNames, mapping: Mapping, mapping_file: Path, site: str | None) -> None:
    """Refuse a mapping that names an office or a path that there is not.

    Args:
        ours: what there is.
        mapping: as it was read from `mapping_file`, which is looked at again for the line.
        mapping_file: where it stands.
        site: the office that was named beside it: what the mapping says of offices is not used then.

    Raises:
        ConfigError: with the line of the key.
    """
    if site is None:
        _check_there(mapping.site, mapping_file)
        for key, said, name in _written("site", mapping.site):
            if not ours.is_site(name):
                problem = f'{said}, and there is no office "{name}"'
                raise _wrong(mapping_file, key, problem, ours.site_instead(name))
    for key, said, name in _written("path", mapping.path):
        if not ours.is_path(name):
            raise _wrong(mapping_file, key, f"{said}, which is no path", ours.path_instead(name))


def _check_there(named: Named, mapping_file: Path) -> None:
    if named.is_ is None and named.column is None and not named.file_name:
        problem = "it does not say which office this is"
        raise _wrong(mapping_file, ("site",), problem, "write [site], or name it with --site")


def _written(table: str, named: Named) -> Iterator[tuple[KeyPath, str, str]]:
    """Each name of ours that a table has: its key, what stands there, and the name."""
    if named.is_ is not None and named.is_ not in named.ours and not named.skip_others:
        yield (table, "is"), f'[{table}] has is = "{named.is_}"', named.is_
    for theirs, name in named.ours.items():
        yield (table, "values", theirs), f'[{table}.values] calls "{theirs}" "{name}"', name


def _wrong(mapping_file: Path, key: KeyPath, problem: str, remedy: str) -> ConfigError:
    return TomlFile(mapping_file).wrong(key, problem, remedy)
