"""Errors, named by what to do next. One `match` in jobs/ acts on them."""

from datetime import timedelta


class OpenearError(Exception):
    """Anything we raise on purpose. Its text tells a user what was wrong, where, and what to do."""


class SettingsError(OpenearError):
    """The settings cannot be used: stop, and say which one."""


class BadInput(OpenearError):
    """A file or value from a user cannot be used."""


class SourceError(OpenearError):
    """A source did not give what was asked. `source` is its name."""

    def __init__(self, source: str, message: str) -> None:
        super().__init__(f"{source}: {message}")
        self.source = source
        self.message = message


class SourceBusy(SourceError):
    """Wait `retry_after`, then ask again."""

    def __init__(self, source: str, message: str, retry_after: timedelta) -> None:
        super().__init__(source, message)
        self.retry_after = retry_after


class SourceDown(SourceError):
    """Try in the next run."""


class SourceRefused(SourceError):
    """Stop this source and tell the operator: a token, a permission, a robots.txt."""


class SourceChanged(SourceError):
    """The answer is not what it used to be: a fault to fix here."""


class SourceRetired(SourceError):
    """The source is gone for good: its mentions stay readable."""


class CaseError(OpenearError):
    """A case system did not do what was asked."""


class CaseSystemDown(CaseError):
    """Keep the draft and try again."""


class CaseRefused(CaseError):
    """Show it to a person."""


class OutcomeUnknown(OpenearError):
    """It may have happened: look before sending it again."""


class Forbidden(OpenearError):
    """The person's role does not allow it."""
