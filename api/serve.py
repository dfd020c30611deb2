"""`python -m api.serve`: the api as a process of its own."""

import logging
from datetime import UTC, datetime

import uvicorn

from api.app import create_app
from core.settings import load
from storage.engine import open_store


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    settings = load()
    store = open_store(settings.url)
    app = create_app(settings, store, lambda: datetime.now(UTC))
    try:
        uvicorn.run(
            app,
            host=settings.api.host,
            port=settings.api.port,
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=5,
            limit_concurrency=64,
        )
    finally:
        store.close()


if __name__ == "__main__":
    main()
