"""Keeps OpenVINO and NNCF from phoning home: imported before either of them."""

import sys

#: Both send usage statistics through this package if it can be imported. Here it cannot.
TELEMETRY = "openvino_telemetry"


def hush() -> None:
    """Make the telemetry package impossible to import in this process; both then use their own empty stand-ins."""
    sys.modules[TELEMETRY] = None  # type: ignore[assignment]


hush()
