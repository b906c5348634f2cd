.PHONY: check test lint format lock bench

check: lint test

test:
	python3 -m tests

lint:
	python3 -m tests --lint

ROUNDS = 3

bench:
	python3 -m bench --rounds $(ROUNDS)

format:
	python3 -m tests --run ruff format
	python3 -m tests --run ruff check --fix

# From PyPI alone, whatever indexes this machine is set to; one lock for all platforms.
# Versions stay as they are where they can: make lock UPGRADE=--upgrade takes the newest.
COMPILE = python3 -m tests --run uv pip compile --no-config --default-index https://pypi.org/simple \
	--universal --python-version 3.11 --generate-hashes --quiet $(UPGRADE) \
	--custom-compile-command "make lock"

lock:
	$(COMPILE) pyproject.toml -o requirements.lock
	$(COMPILE) pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
