"""The case systems, by the name an operator writes in the settings: one line each."""

from collections.abc import Callable, Mapping

from core.errors import SettingsError
from core.protocols import CaseSystem
from core.settings import Settings
from crm.systems import native

Build = Callable[[Settings, native.NativeTables], CaseSystem]

SYSTEMS: Mapping[str, Build] = {
    native.NAME: lambda settings, tables: native.NativeCases(tables),
}


def build(settings: Settings, tables: native.NativeTables) -> CaseSystem:
    """The case system the settings name.

    Raises:
        SettingsError: there is none of that name.
    """
    name = settings.cases.system
    if name not in SYSTEMS:
        raise SettingsError(f"cases.system: {name!r} is not known; choose one of {', '.join(sorted(SYSTEMS))}")
    return SYSTEMS[name](settings, tables)
