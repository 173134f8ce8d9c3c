# Everything runs from .venv, which is made on first use and again when pyproject.toml changes.
# Needed: python3 (3.11 or newer, with venv) and make. `make help` lists the targets.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.installed
BENCH_READY := bench/.venv/.installed
SCRAPY_READY := .venv-scrapy/.installed
# Each may be narrowed, and run in as many processes as wanted: make test TESTS=tests/model WORKERS=4
TESTS ?= tests
WORKERS ?= auto
# The tests of a file stay together, and with them what they share.
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

SITE ?= site

.PHONY: help crawl quick test test-slow lint format check docs picture screenshots system scrapy-setup bench-setup bench clean

help:
	@echo "make crawl        crawl the sample bookshop (served here, on loopback) into books.jsonl"
	@echo "make quick        the tests that start no process and no server"
	@echo "make test         the test suite"
	@echo "make test-slow    the heavier proofs: real servers, kills, load"
	@echo "make lint         ruff and mypy --strict"
	@echo "make format       let ruff format and fix the code"
	@echo "make check        lint, test and test-slow"
	@echo "make docs         the documents as a site, in site/"
	@echo "make picture      docs/terminal.svg anew, from a real crawl"
	@echo "make screenshots  pictures of the status page in screenshots/, from real crawls, and docs/status.png"
	@echo "make system       apt-get the servers and documents the slow tests use (root, Debian 12)"
	@echo "make scrapy-setup the real Scrapy, in .venv-scrapy, which the slow tests compare with"
	@echo "make bench-setup  bench/.venv with the crawlers we compare with"
	@echo "make bench        the shop benchmark"
	@echo "make clean        remove the environments, caches and output"

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is older than 3.11; say which to use: make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || \
		{ rm -rf .venv; echo "$(PYTHON) cannot make virtual environments; on Debian: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null || \
		{ echo ".venv has no pip; remove it, and on Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# The shop runs beside the crawl and ends with it. It is our own server, so no delay is needed.
crawl: $(READY)
	@said=$$(mktemp); \
	$(BIN)/python -m crawler.sample --port 0 >"$$said" & shop=$$!; \
	trap 'kill $$shop 2>/dev/null; wait $$shop; rm -f "$$said"' EXIT; trap 'exit 130' INT; trap 'exit 143' TERM; \
	until test -s "$$said"; do kill -0 $$shop 2>/dev/null || exit 1; sleep 0.1; done; \
	echo "The sample bookshop is at $$(cat "$$said")"; \
	$(BIN)/crawler crawl books -a url="$$(cat "$$said")" -s DOWNLOAD_DELAY=0 -O books.jsonl || exit $$?; \
	echo; echo "The first items of books.jsonl:"; head -n 3 books.jsonl

quick: $(READY)
	$(PYTEST) -m "not slow and not process" $(TESTS)

test: $(READY)
	$(PYTEST) -m "not slow" $(TESTS)

# Status 5: of the tests that were asked for, none is of this kind.
test-slow: $(READY) $(SCRAPY_READY)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "slow and spread" $(TESTS) || test $$? -eq 5
	$(PYTEST) -m "slow and not spread and not alone" $(TESTS) || test $$? -eq 5
	$(BIN)/python -m pytest -m "slow and alone" $(TESTS) || test $$? -eq 5

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: lint test test-slow

# The variable silences what mkdocs-material says of its own future at each start.
docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --site-dir "$(abspath $(SITE))"

picture: $(READY)
	$(BIN)/python docs/picture.py

screenshots: $(READY)
	$(BIN)/python -m tests.status.screenshots screenshots
	cp screenshots/light.png docs/status.png

system:
	.ci/system

# Without us in it: a project may have a package that is called `crawler`.
$(SCRAPY_READY): tests/scrapy_projects/requirements.txt
	$(PYTHON) -m venv .venv-scrapy
	.venv-scrapy/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

scrapy-setup: $(SCRAPY_READY)

$(BENCH_READY): pyproject.toml
	$(PYTHON) -m venv bench/.venv
	bench/.venv/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@

bench-setup: $(BENCH_READY)

bench: $(READY) $(BENCH_READY)
	$(BIN)/python -m bench.shop

clean:
	rm -rf .venv bench/.venv .venv-scrapy .mypy_cache .ruff_cache .pytest_cache .crawler build dist site screenshots books.jsonl items.db
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
