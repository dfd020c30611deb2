"""The clock of a case, from the settings."""

from datetime import date, datetime
from functools import lru_cache

from core.settings import Agency, Settings
from crm import sla


def due_at(settings: Settings, opened_at: datetime) -> datetime:
    """When the first answer to a case opened then is due."""
    agency = settings.agency
    closed = frozenset(map(date.fromisoformat, agency.closed_days))
    holidays = closed | _holidays(agency.country, agency.subdivision, opened_at.year)
    return sla.due(opened_at, agency.hours, agency.timezone, holidays, settings.cases.first_answer)


@lru_cache(maxsize=32)
def _holidays(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    agency = Agency(country=country, subdivision=subdivision)
    return sla.public_holidays(agency, (year, year + 1))
