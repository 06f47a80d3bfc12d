# Everything a person does with this clone. `make up` needs Python 3.11 or newer, make and git, and nothing else.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; exit; }; done; echo python3)
BIN := .venv/bin
SOURCES := $(wildcard libs/*/src services/*/src)

# Where this is set (many images set it) every start of a process compiles all that it imports: seven seconds instead of one.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: up down status story clean test check walls format lock docs faults soak bugs bench fuzz test-containers help env

help:  ## what can be done here
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env:
	@command -v $(PYTHON) >/dev/null || { echo "Santun cannot start yet: there is no Python on this machine."; \
		echo "Install Python 3.11 or newer (Debian, Ubuntu: apt install python3 python3-venv), then run the same command again."; exit 1; }
	@$(PYTHON) bin/bootstrap

up: env  ## start everything on this machine and tell one story through it; Ctrl-C stops
	@$(BIN)/santun up

down: env  ## stop everything; the data stay
	@$(BIN)/santun down

status: env  ## what runs, where it listens, what is wrong
	@$(BIN)/santun status

story: env  ## show again what happened in the demonstration
	@$(BIN)/santun story

clean: env  ## stop everything and forget all data of the demonstration
	@$(BIN)/santun clean

test: walls  ## every test, after the walls: quick ones side by side, then those that run and kill the whole system
	@$(BIN)/pytest -n 2 --dist loadfile -m "not faults and not e2e" $(ARGS)
	@$(BIN)/pytest -n 2 --dist loadfile -m "(faults or e2e) and not long" $(ARGS)

faults: env  ## hurt every part under load, by a seed, and look at everything after each fault (28 minutes; ARGS="--seed 7")
	@$(BIN)/pytest -m long
	@PYTHONPATH=tests $(BIN)/python -m faults.driver --seconds 1200 $(ARGS)

soak: env  ## the same for as long as told: make soak SECONDS=7200
	@PYTHONPATH=tests $(BIN)/python -m faults.driver --seconds $(or $(SECONDS),3600) $(ARGS)

bugs: env  ## put fifteen known bugs into a copy of the tree, one by one, and see the tests notice each
	@PYTHONPATH=tests $(BIN)/python -m faults.seeded $(ARGS)

bench: env  ## measure against the limits of this machine (ARGS="P6 --size small"); writes docs/benchmarks.md
	@$(BIN)/python tests/load/bench.py $(ARGS)

fuzz: env  ## thousands of drawn inputs for every reader of outside data and every route (FUZZ_EXAMPLES=5000)
	@FUZZ_EXAMPLES=$(or $(FUZZ_EXAMPLES),2000) $(BIN)/pytest --timeout=3600 tests/fuzz tests/attack $(ARGS)

test-containers: env  ## deploy/ as it is, in containers: started, asked, attacked, killed (needs docker with compose)
	@docker compose version >/dev/null || { echo "There is no container engine with compose here."; exit 1; }
	@# In this order: the cluster alone on the machine, and the story before what destroys its disks.
	@$(BIN)/pytest --timeout=1800 -p no:randomly $(addprefix tests/containers/test_,cluster.py office.py running.py keeping.py) $(ARGS)

walls: env  ## style, types, layers, and what each member may import
	@$(BIN)/ruff check . && $(BIN)/ruff format --check -q . && $(BIN)/mypy $(SOURCES) && $(BIN)/lint-imports >/dev/null
	@for member in libs/* services/*; do (cd $$member && $(CURDIR)/$(BIN)/deptry src >/dev/null 2>&1 || { $(CURDIR)/$(BIN)/deptry src; exit 1; }) || exit 1; done

check: walls  ## the quick part: the walls and the unit tests
	@$(BIN)/pytest -n 2 tests/architecture services/registry/tests/unit services/disbursement/tests/unit \
		services/grants/tests/unit services/notifications/tests/unit

format: env  ## bring the code into its form
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

lock: env  ## resolve the libraries afresh (ARGS=--upgrade for newer ones)
	@$(BIN)/python bin/lock $(ARGS)

docs: env  ## write the generated pages anew (events, AsyncAPI, OpenAPI, machines)
	@$(BIN)/python -m stack.docs
