"""Phone, payment card and social security numbers in plain text (after pii_shapes.fold)."""

import re
from collections.abc import Container, Iterator
from functools import lru_cache

import phonenumbers

from nlp.pii_shapes import Span

#: Seven digits with little between them: without these a text holds none of the three.
_ENOUGH = re.compile(r"[0-9](?:[^0-9A-Za-z]{0,3}[0-9]){6}")
_GROUP = re.compile(r"[0-9]+")
_JOIN = re.compile(r"[ .\-]")
_URL = re.compile(r"(?:https?://|www\.)(?!wa\.me|api\.whatsapp)[^\s<>\"]{1,2000}", re.IGNORECASE)
_END = r"(?![0-9A-Za-z_]|[.\-/][0-9]|[%])"

_SSN = re.compile(r"(?!000|666|9)[0-9]{3}([ .\-])(?!00)[0-9]{2}\1(?!0000)[0-9]{4}" + _END)
_SSN_BARE = re.compile(r"(?!000|666|9)[0-9]{3}(?!00)[0-9]{2}(?!0000)[0-9]{4}" + _END)
_SSN_WORD = re.compile(r"(?:ssn|social security|seguro social|soc sec)[^0-9]{0,20}$", re.IGNORECASE)

_EXTENSION = r"(?:,?\s{0,2}(?:ext|x|extension|extensi[oó]n)\.?\s{0,2}[0-9]{1,6})?"
_S = r"[ .\-]{0,3}"
#: Country of the numbering plan, shape.
_PHONES = (
    (
        "US",
        re.compile(
            rf"(?:\+?1{_S})?(?:\([0-9]{{3}}\){_S}|[0-9]{{3}}[ .\-/]{{0,3}})[0-9]{{3}}{_S}[0-9]{{4}}{_EXTENSION}{_END}",
            re.I,
        ),
    ),
    ("ES", re.compile(rf"[6789][0-9]{{2}}([ .\-]?)[0-9]{{2}}\1[0-9]{{2}}\1[0-9]{{2}}{_EXTENSION}{_END}", re.I)),
    ("ES", re.compile(rf"[6789][0-9]{{2}}([ .\-])[0-9]{{3}}\1[0-9]{{3}}{_EXTENSION}{_END}", re.I)),
    ("ES", re.compile(rf"\(?[89][0-9]\)?[ .\-][0-9]{{3}}[ .\-][0-9]{{2}}[ .\-][0-9]{{2}}{_EXTENSION}{_END}", re.I)),
    ("MX", re.compile(rf"\(?[0-9]{{2}}\)?[ .\-][0-9]{{4}}[ .\-][0-9]{{4}}{_EXTENSION}{_END}", re.I)),
)
_ABROAD = re.compile(r"(?:\+|00)[0-9](?:[0-9]|[ .\-()/]{1,3}(?=[0-9])){6,24}")
_LOCAL = re.compile(rf"[2-9][0-9]{{2}}[ .\-]?[0-9]{{4}}{_EXTENSION}{_END}", re.I)

#: What stands just before a number and says that it is no phone number, or that it is one.
_OTHER_NUMBER = re.compile(
    r"(?:[#$€£№=_@]|\bn[ºo°]\.?|"
    r"\b(?:case|ticket|ref|reference|request|claim|order|acct|account|permit|invoice|tracking|confirmation|docket|badge|"
    r"parcel|plate|meter|serial|report|bus(?:es)?|routes?|lines?|trains?|blocks?|lot|zip|apn|isbn|sku|vin|sr|id|upc|po|"
    r"caso|folio|expediente|solicitud|referencia|pedido|cuenta|permiso|factura|multa|matr[ií]cula|contador|medidor|"
    r"rutas?|l[ií]neas?|autob[uú]s|tramo|lote|dni|nif|nie|iban|clave)"
    r"(?: (?:number|num|no|id|is|was|n[uú]mero|es)){0,2})[.:#]?[\s:#(]{0,3}$",
    re.IGNORECASE,
)
_PHONE_WORD = re.compile(
    r"\b(?:call(?:ed|ing)?|phone|tel(?:[eé]fono)?|text(?:ed)?|txt|cell|mobile|fax|whats?app?|dial|reach|ring|contact|"
    r"ll[aá]m[a-zéó]{0,5}|m[oó]vil|celular|cel|marqu?e[a-z]{0,2}|tlf|tfno|wasap|n[uú]mero de tel)\b[^0-9]{0,22}$",
    re.IGNORECASE,
)
_PRICE_AFTER = re.compile(
    r"\s?(?:€|\$|eur|usd|dollars|d[oó]lares|euros|pesos|people|habitantes|votes|votos|views)", re.I
)

#: Issuer prefix ranges and lengths: first digits from, to, allowed lengths.
_ISSUERS = (
    ("4", "4", (13, 16, 19)),
    ("51", "55", (16,)),
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),
    ("37", "37", (15,)),
    ("6011", "6011", (16,)),
    ("644", "659", (16,)),
    ("300", "305", (14,)),
    ("36", "36", (14,)),
    ("38", "39", (14,)),
    ("3528", "3589", (16,)),
    ("62", "62", (16, 17, 18, 19)),
)


def find_numbers(text: str, keep: Container[str]) -> list[Span]:
    """Find cards, social security and phone numbers, in this order of rank; none overlap."""
    if _ENOUGH.search(text) is None:
        return []
    found: list[Span] = []
    links = [(url.start(), url.end()) for url in _URL.finditer(text)]
    end = 0
    for start in _starts(text, links):
        if start < end:
            continue
        span = _card(text, start) or _ssn(text, start) or _phone(text, start)
        if span is not None and not _kept(text[span.start : span.end], keep):
            found.append(span)
            end = span.end
    return found


def _starts(text: str, links: list[tuple[int, int]]) -> Iterator[int]:
    """Where a number may begin: a group of digits outside links, with its "+" or "("."""
    coming = iter(links)
    link = next(coming, None)
    for group in _GROUP.finditer(text):
        start = group.start()
        while link is not None and link[1] <= start:
            link = next(coming, None)
        if link is not None and link[0] <= start:
            continue
        while start > 0 and text[start - 1] in "+(" and start > group.start() - 2:
            start -= 1
        before = text[start - 1] if start else " "
        if before.isalnum() or before in "_" or (before in ".-/," and start > 1 and text[start - 2].isdigit()):
            continue
        yield start


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _kept(found: str, keep: Container[str]) -> bool:
    digits = _digits(found)
    return any(form in keep for form in (found, digits, "+" + digits, "+1" + digits, "+34" + digits))


def _card(text: str, start: int) -> Span | None:
    """Match 12 to 19 digits in at most 8 groups, an issuer's prefix and Luhn's check digit; the longest that fits."""
    if text[start] not in "23456":
        return None
    ends: list[tuple[int, str]] = []
    at, digits = start, ""
    while len(ends) < 8 and (group := _GROUP.match(text, at, at + 20)):
        digits += group[0]
        ends.append((group.end(), digits))
        at = group.end() + (1 if _JOIN.match(text, group.end()) else 0)
    for end, digits in reversed(ends):
        if _issued(digits) and _luhn(digits) and not text[end : end + 1].isalnum():
            return Span(start, end, "card")
    return None


def _issued(digits: str) -> bool:
    return any(low <= digits[: len(low)] <= high and len(digits) in lengths for low, high, lengths in _ISSUERS)


def _luhn(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(map(int, digits[-1::-2]))) % 10 == 0


def _ssn(text: str, start: int) -> Span | None:
    if match := _SSN.match(text, start):
        return Span(start, match.end(), "ssn")
    match = _SSN_BARE.match(text, start)
    if match and _SSN_WORD.search(text[max(0, start - 40) : start]):
        return Span(start, match.end(), "ssn")
    return None


def _phone(text: str, start: int) -> Span | None:
    before = text[max(0, start - 32) : start]
    called = _PHONE_WORD.search(before) is not None
    if not called and (_OTHER_NUMBER.search(before) or re.search(r"[A-Za-z]-$", before)):
        return None
    if text.startswith(("+", "00"), start):
        return _from_abroad(text, start)
    for region, shape in _PHONES:
        match = shape.match(text, start)
        if match and _plausible(match, called) and _valid(match[0], region):
            return Span(start, match.end(), "phone")
    if called and (match := _LOCAL.match(text, start)):
        return Span(start, match.end(), "phone")
    return None


def _plausible(match: re.Match[str], called: bool) -> bool:
    """A bare row of digits may be any number: no price, and a Spanish landline only after "call" or the like."""
    if not match[0].isdigit():
        return True
    if _PRICE_AFTER.match(match.string, match.end()):
        return False
    return called or len(match[0]) >= 10 or match[0][0] in "67"


def _from_abroad(text: str, start: int) -> Span | None:
    """The longest part that is a number of some country; numbers are at most 15 digits."""
    match = _ABROAD.match(text, start)
    if match is None:
        return None
    ends = [group.end() for group in _GROUP.finditer(text, start, match.end())]
    for end in reversed(ends):
        number = text[start:end]
        if 8 <= len(_digits(number)) <= 17 and not text[end : end + 1].isalnum() and _valid(number, "US"):
            return Span(start, end, "phone")
    return None


@lru_cache(maxsize=4096)
def _valid(number: str, region: str) -> bool:
    if number.startswith("00"):
        number = "+" + number[2:]
    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(number, region)))
    except phonenumbers.NumberParseException:
        return False
