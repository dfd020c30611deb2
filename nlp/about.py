"""Whether the agency is meant or a namesake: what its own names, handles and places say of a text."""

import re
from dataclasses import dataclass

from core.settings import Agency

#: How many logits each finding is worth. By rule, not trained: the texts we wrote hold too few of each.
HANDLE, PLACE, ELSEWHERE = 3.0, 1.0, -3.0

_OFFICE = re.compile(
    r"^(?:the\s+)?(?:city|town|village|county|borough|state|port|ayuntamiento|ciudad|municipio|alcald[ií]a|gobierno)"
    r"\s+(?:of|de|del)\s+",
    re.IGNORECASE,
)
_STATES = (
    "Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Georgia|Hawaii|Idaho|Illinois|"
    "Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|Massachusetts|Michigan|Minnesota|Mississippi|Missouri|"
    "Montana|Nebraska|Nevada|New Hampshire|New Jersey|New Mexico|New York|North Carolina|North Dakota|Ohio|Oklahoma|"
    "Oregon|Pennsylvania|Rhode Island|South Carolina|South Dakota|Tennessee|Texas|Utah|Vermont|Virginia|Washington|"
    "West Virginia|Wisconsin|Wyoming|England|Scotland|Ireland|Wales|Canada|Australia|New Zealand|UK|"
    "Espa[nñ]a|M[eé]xico|Argentina|Chile|Colombia|Per[uú]|Ecuador|Uruguay|Venezuela|Bolivia|Guatemala|Cuba|"
    "A[LKZR]|C[AOT]|DE|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[TA]|W[AVIY]"
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found: the agency named (0 or 1), and the logits that rules add."""

    named: float
    by_rule: float


class Names:
    """The agency's names, handles and places, ready to be looked for."""

    def __init__(self, agency: Agency) -> None:
        names = {form for name in agency.names for form in (name, _OFFICE.sub("", name)) if len(form) > 2}
        joined = {"#" + re.sub(r"\W", "", name) for name in names}
        self.known = bool(names)
        self._names = _any([*names, *joined])
        self._handles = _any([handle if handle.startswith("@") else f"@{handle}" for handle in agency.handles])
        self._places = _any(list(agency.places))
        own = {place.casefold() for place in (*agency.places, agency.subdivision or "", agency.country)}
        self._own = own
        named = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
        self._elsewhere = re.compile(rf"(?i:{named}),?\s+\(?({_STATES})\b") if names else None

    def evidence(self, text: str, parent: str | None = None) -> Evidence:
        """What a text, or the post it answers, says of whom it is about."""
        rule = HANDLE * _found(self._handles, text) + PLACE * _found(self._places, text)
        if self._elsewhere and any(hit.casefold() not in self._own for hit in self._elsewhere.findall(text)):
            rule += ELSEWHERE
        named = _found(self._names, text)
        if parent and not named:
            named = 0.5 * _found(self._names, parent)
            rule += HANDLE / 2 * _found(self._handles, parent)
        return Evidence(named, rule)


def _any(words: list[str]) -> re.Pattern[str] | None:
    spelt = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{spelt})(?!\w)", re.IGNORECASE) if words else None


def _found(pattern: re.Pattern[str] | None, text: str) -> float:
    return 1.0 if pattern is not None and pattern.search(text) else 0.0
