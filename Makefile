# Two commands do everything on a fresh Debian or Ubuntu with Rust: `make demo` and `make test`.

CARGO   := cargo
# One profile for everything, so that nothing is compiled twice.
PROFILE := --release
VENV    := target/venv
PY      := $(VENV)/bin/python
DEMO    := out/demo

.PHONY: help setup demo build test lint test-rust test-core test-doc test-python test-web notebooks bench fmt web wheel clean

help: ## list what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

setup: ## install missing system packages (Debian, Ubuntu)
	@tools/setup.sh

demo: build ## plan an invented district of 12,000 households
	target/release/gridplan demo -o $(DEMO)

build: setup ## build the program: target/release/gridplan
	$(CARGO) build $(PROFILE)

test: setup web lint test-rust test-core test-doc test-python notebooks test-web ## set up and run every test
	@echo "all tests passed"

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(PROFILE) --all-targets -- -D warnings

test-rust: ## Rust tests: units, scenes, properties, command line
	$(CARGO) test $(PROFILE)

test-core: ## the core without GDAL, HiGHS, program and map page builds
	$(CARGO) check $(PROFILE) --no-default-features

test-doc: ## documentation builds without a warning
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(PROFILE) --no-deps

$(VENV)/ready: python/requirements.txt
	python3 -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check -r python/requirements.txt
	touch $@

wheel: setup $(VENV)/ready ## build the Python wheel into target/wheels and install it into target/venv
	rm -f target/wheels/gridplan-*.whl
	$(VENV)/bin/maturin build $(PROFILE) --manifest-path python/Cargo.toml --out target/wheels
	$(PY) -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps target/wheels/gridplan-*.whl

test-python: wheel ## tests of the Python package
	$(PY) -m pytest -q python/tests

notebooks: wheel ## run the notebooks
	$(PY) -m pytest -q --nbmake --nbmake-timeout=900 notebooks

web: setup ## build the map page's script
	cd web && npm ci --no-audit --no-fund && npm run build

test-web: web build ## tests of the map page in headless Chromium
	cd web && npm test

bench: ## benchmarks; peers run beside ours where the shared folder has them
	$(CARGO) bench

fmt: ## format the code
	$(CARGO) fmt --all

clean: ## remove what was built
	$(CARGO) clean
	rm -rf out web/dist web/node_modules
