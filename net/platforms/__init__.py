"""One file a platform that is both read and answered: login, error codes, budget."""
