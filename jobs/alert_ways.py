"""The two ways of telling a person: SMTP and a signed webhook. Each either works, surely told nobody, or is unknown."""

import contextlib
import json
import smtplib
import ssl
from email.utils import parseaddr

import httpx

from core.errors import OutcomeUnknown
from core.protocols import Clock
from core.settings import Alerts, Settings
from crm.signing import sign
from jobs.alert_words import Alert, NotSent, domain, mail, one_line, payload, token
from net.address import AddressRefused

SECONDS = 20.0  # for each step of a conversation


def by_email(alert: Alert, settings: Settings, client: httpx.Client, clock: Clock) -> None:
    """Send a mail.

    Raises:
        NotSent, OutcomeUnknown: see there.
    """
    del client, clock
    content = mail(alert, settings)
    server = _connected(settings)
    try:
        _envelope(server, settings.alerts)
        _handed_over(server, content)
    finally:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            server.quit()
        server.close()


def _connected(settings: Settings) -> smtplib.SMTP:
    """A conversation with the mail server, encrypted and signed in; raises NotSent."""
    alerts, host = settings.alerts, settings.alerts.smtp_host or ""
    name = domain(alerts.email_from)
    server: smtplib.SMTP | None = None
    try:
        context = ssl.create_default_context(cafile=settings.network.ca_file)
        if alerts.smtp_port == 465:
            server = smtplib.SMTP_SSL(host, 465, local_hostname=name, timeout=SECONDS, context=context)
        else:
            server = smtplib.SMTP(host, alerts.smtp_port, local_hostname=name, timeout=SECONDS)
            if alerts.smtp_starttls:
                server.starttls(context=context)
        if alerts.smtp_username and alerts.smtp_password:
            server.login(alerts.smtp_username, alerts.smtp_password.get_secret_value())
    except smtplib.SMTPAuthenticationError as error:
        _hang_up(server)
        raise NotSent(f"{host} refused alerts.smtp_username and its password ({error.smtp_code})") from None
    except (OSError, smtplib.SMTPException, ValueError) as error:
        _hang_up(server)
        raise NotSent(f"mail server {host}:{alerts.smtp_port}: {_said(error)}") from error
    return server


def _envelope(server: smtplib.SMTP, alerts: Alerts) -> None:
    """Name sender and receivers; enough if one of them is taken. Raises NotSent."""
    try:
        server.ehlo_or_helo_if_needed()
        answers = [server.mail(_bare(alerts.email_from)), *(server.rcpt(_bare(to)) for to in alerts.email_to)]
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise NotSent(f"mail server: {_said(error)}") from error
    if answers[0][0] != 250:
        raise NotSent(f"the mail server refused the sender {alerts.email_from}: {_answer(answers[0])}")
    if not any(code in (250, 251) for code, _ in answers[1:]):
        raise NotSent(f"the mail server refused every address of alerts.email_to: {_answer(answers[1])}")


def _handed_over(server: smtplib.SMTP, content: bytes) -> None:
    """Raises NotSent, or OutcomeUnknown if the server fell silent once it had the message."""
    try:
        answer = server.data(content)
    except smtplib.SMTPDataError as error:
        raise NotSent(f"the mail server refused the message: {_said(error)}") from error
    except (OSError, smtplib.SMTPException) as error:
        raise OutcomeUnknown(f"the mail server fell silent after it had the message: {_said(error)}") from error
    if answer[0] != 250:
        raise NotSent(f"the mail server refused the message: {_answer(answer)}")


def by_webhook(alert: Alert, settings: Settings, client: httpx.Client, clock: Clock) -> None:
    """Send a signed POST through the guarded client.

    Raises:
        NotSent, OutcomeUnknown: see there.
    """
    alerts = settings.alerts
    secret = alerts.webhook_secret.get_secret_value() if alerts.webhook_secret else ""
    if not secret:
        raise NotSent("alerts.webhook_secret is not set: set OPENEAR_ALERTS__WEBHOOK_SECRET; nothing goes out unsigned")
    content = json.dumps(payload(alert), ensure_ascii=False, sort_keys=True).encode()
    headers = {"Content-Type": "application/json", **sign(secret, token(alert.key), content, clock())}
    try:
        request = client.build_request("POST", alerts.webhook_url or "", content=content, headers=headers)
        answer = client.send(request, stream=True)
        answer.close()
    except AddressRefused as error:
        raise NotSent(f"alerts.webhook_url must not be asked: {error}; see network.allow") from error
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise NotSent(f"alerts.webhook_url: {_said(error)}") from error
    except httpx.HTTPError as error:
        raise OutcomeUnknown(f"alerts.webhook_url fell silent after the question: {_said(error)}") from error
    if not answer.is_success:
        raise NotSent(f"alerts.webhook_url answered {answer.status_code}")


def _bare(address: str) -> str:
    return parseaddr(address)[1]


def _said(error: Exception) -> str:
    return f"{type(error).__name__} {one_line(str(error))}".strip()


def _answer(answer: tuple[int, bytes]) -> str:
    return f"{answer[0]} {one_line(answer[1].decode('ascii', 'replace'))}"


def _hang_up(server: smtplib.SMTP | None) -> None:
    if server is not None:
        server.close()
