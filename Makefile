.PHONY: check test lint format lock bench release

check: lint test

test:
	python3 -m tests

lint:
	python3 -m tests --lint

ROUNDS = 3

bench:
	python3 -m bench --rounds $(ROUNDS)

release:
	python3 release.py

format:
	python3 -m tests --run ruff format
	python3 -m tests --run ruff check --fix
	! command -v npm > /dev/null || python3 -m tests --run biome check --write \
		--config-path=tests/web/page-biome.json scripts/holdfast/web

# From PyPI alone, whatever indexes this machine is set to; one lock for all platforms.
# Versions stay as they are where they can: make lock UPGRADE=--upgrade takes the newest.
COMPILE = python3 -m tests --run uv pip compile --no-config --default-index https://pypi.org/simple \
	--universal --python-version 3.11 --generate-hashes --quiet $(UPGRADE) \
	--custom-compile-command "make lock"

# What an extra adds alone: all else is there already when it is needed.
ALONE = $(foreach each,$(shell sed -n 's/^\([a-z0-9-]*\)==.*/\1/p' requirements.lock), \
	--no-emit-package $(each))

lock:
	$(COMPILE) pyproject.toml -o requirements.lock
	$(COMPILE) pyproject.toml --extra cloud $(ALONE) -c requirements.lock -o requirements-cloud.lock
	$(COMPILE) pyproject.toml --extra web $(ALONE) -c requirements.lock -o requirements-web.lock
	$(COMPILE) pyproject.toml --extra cloud --extra web --group dev -c requirements.lock \
		-c requirements-cloud.lock -c requirements-web.lock -o requirements-dev.lock
	$(COMPILE) --group s3 -o tests/stores/requirements-s3.lock
	$(COMPILE) --group schemathesis -o tests/web/requirements-schemathesis.lock
	$(COMPILE) --group browser -o tests/web/requirements-browser.lock
