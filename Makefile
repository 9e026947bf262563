# `make run` and `make test` are all that a fresh machine needs. See CONTRIBUTING.md for the rest.

CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)
DATA ?= data

.PHONY: run build web test test-tools check fmt bench crash simulate fuzz clean

run: build
	$(TARGET)/release/nuthatch serve --data $(DATA)

build: web
	$(CARGO) build --release --locked -p nuthatch

web: web/dist/index.html

web/dist/index.html: web/node_modules/.package-lock.json $(shell find web/src web/public web/index.html -type f 2>/dev/null) web/vite.config.ts
	cd web && npm run build

web/node_modules/.package-lock.json: web/package-lock.json
	cd web && npm ci
	touch $@

# What the tests need besides Rust and Node.js: Chromium from Debian's packages, the SDKs from their registries.
test-tools:
	scripts/test-tools

test: web test-tools
	$(CARGO) test --locked --workspace
	cd web && npm run check:api && npm run typecheck && npm test && npm run test:states
	scripts/test-end-to-end

check:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	cd web && npm run lint

# With a flood of a minute at the end; OVERLOAD_SECONDS=300 makes it five.
OVERLOAD_SECONDS ?= 60
bench: build
	$(TARGET)/release/nuthatch bench --overload-seconds $(OVERLOAD_SECONDS)

# The long form of the crash test that `make test` runs briefly: 50 kills under load.
crash: web
	CRASH_KILLS=50 $(CARGO) test --locked --release -p nuthatch --test it -- --nocapture crash

# The long form of the simulation that `make test` runs with 10,000 histories: other ones each time, a million unless
# SIMULATE_HISTORIES says otherwise. A seed that fails is printed; SIMULATE_SEED runs it again.
SIMULATE_FIRST ?= $(shell date +%s)000000
SIMULATE_HISTORIES ?= 1000000
simulate:
	SIMULATE_FIRST=$(SIMULATE_FIRST) SIMULATE_HISTORIES=$(SIMULATE_HISTORIES) \
		$(CARGO) test --locked --release -p nuthatch-worker --test it -- --nocapture simulation

# Every fuzz target for FUZZ_SECONDS each.
fuzz:
	scripts/fuzz

clean:
	$(CARGO) clean
	rm -rf web/dist web/node_modules tests/node_modules tests/.venv
