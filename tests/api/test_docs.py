import re

from fastapi.testclient import TestClient

from tests.api.conftest import Clock, Send
from tests.conftest import ROOT

TEXT = (ROOT / "docs" / "api.md").read_text("utf-8")


def test_every_path_is_in_the_docs(client: TestClient) -> None:
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for method in methods:
            assert f"| `{method.upper()} {path}` |" in TEXT


def test_the_example_of_the_docs_is_taken(send: Send, clock: Clock) -> None:
    found = re.search(r"body='(.*)'", TEXT)
    assert found is not None
    assert send(found[1].encode()).json()["new"] == 1
