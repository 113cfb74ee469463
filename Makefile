# `make quickstart` and `make test` are all that a newcomer needs; `make help` lists the rest.
PYTHON ?= python3
JOBS ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
BIN := .venv/bin
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help install quickstart reproduce-table1 reproduce-table2 reproduce-table7 reproduce-table8 test test-slow check format lint floors \
	types tables bench bench-peers figure2b probes studies golden lock wheel clean

help:  ## List the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

LOCKED := $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
WHEEL := $(BIN)/uv pip install --quiet --python build/wheel-test/bin/python

install: $(BIN)/.installed  ## Create .venv with everything, at the versions of requirements.lock

# uv comes first, by its own hashes, and installs the rest: seconds instead of minutes. Bytecode is made once, here, so that no start
# of Python has to. The second try is for networks whose certificate only the system knows.
$(BIN)/.installed: requirements.lock requirements-uv.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("saflex needs Python 3.11 or newer: make PYTHON=python3.12 …" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	$(LOCKED) || UV_SYSTEM_CERTS=true $(LOCKED)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# Into runs/, so that the committed results stay as they are and a fresh clone trains for itself.
quickstart: install  ## The first comparison on real images: trains, then prints the table
	$(BIN)/saflex train quickstart/digits --jobs $(JOBS) --out runs/quickstart
	$(BIN)/saflex table quickstart --out runs/quickstart

# Says first what is done, what will run and what that took elsewhere; goes on where it was stopped. Several runs share one
# GPU with REPRODUCE_JOBS=4, and data lie in SAFLEX_DATA, or are downloaded.
REPRODUCE_JOBS ?= 1
reproduce-table1 reproduce-table2 reproduce-table7 reproduce-table8: reproduce-%: install
	$(BIN)/saflex train $* --jobs $(REPRODUCE_JOBS)
	$(BIN)/saflex table $* --write

reproduce-table1:  ## Published Table 1: eight MedMNIST sets, RandAugment and Mixup (a GPU, days)
reproduce-table2:  ## Published Table 2: tables, MLP and SAINT (the MLP: hours on a CPU; four files are fetched by hand)
reproduce-table7:  ## Published Table 7: the same sets, crop and Soft-Augmentation
reproduce-table8:  ## Published Table 8: the same sets, LP-A3

test: install  ## Fast tests: under two minutes, offline
	$(BIN)/python -m pytest

test-slow: install  ## The tests that take longer
	$(BIN)/python -m pytest -m slow

check: format lint floors types test tables  ## Everything that must be true before a commit

format: install
	$(BIN)/ruff format --check .

lint: install
	$(BIN)/ruff check .

floors: install
	$(BIN)/lint-imports

types: install
	$(BIN)/mypy

tables: install  ## Compare the committed tables, studies, probes, docs/claims.md and docs/performance.md with the results
	$(BIN)/saflex table --check
	$(BIN)/saflex study --check
	$(BIN)/saflex probe --check
	$(BIN)/saflex claims --check
	$(BIN)/saflex bench page --check

# Numbers for every preset that changes weights or labels, with every seed of the recipe.
figure2b: install  ## Make the study of the paper's Figure 2(b) anew: reports, table, pictures, numbers
	$(BIN)/saflex train study/figure2b --force
	$(BIN)/saflex table figure2b --write
	set -e; for method in saflex_paper saflex_weights_only saflex_proximal bootstrap; do for seed in 0 1 2 3 4; do \
		$(BIN)/saflex show study/figure2b --method $$method --seed $$seed; done; done > docs/figures/figure2b.txt
	$(BIN)/saflex show study/figure2b --method saflex_paper --to docs/figures/figure2b-paper.png
	$(BIN)/saflex show study/figure2b --method saflex_proximal --to docs/figures/figure2b-proximal.png

probes: install  ## What Π knows about wrong labels, and first order against the real bilevel step: measured anew
	$(BIN)/saflex probe probe-knowledge probe-decrease --device cpu --jobs $(JOBS)

STUDIES := readings signal sensitivity mending where confirm generalisation
studies: install  ## The study of the method (docs/method-study.md): what has no report is run (a day on a CPU, an hour with a GPU)
	$(BIN)/saflex study $(STUDIES) --jobs $(JOBS)

# Ratios are taken in turns, but leave the machine alone all the same. BENCH_DEVICE=cuda for a GPU.
BENCH_DEVICE ?= cpu
BENCH_RECIPES := tabular/qsar-mlp tabular/shrutime-mlp medmnist/breastmnist-randaugment bench/breastmnist-vit
BENCH_EPOCHS := tabular/qsar-mlp tabular/shrutime-mlp medmnist/breastmnist-randaugment medmnist/breastmnist-mixup
bench: install  ## What SAFLEX costs: steps, memory, epochs, growth, measured anew (hours on a CPU)
	set -e; for recipe in $(BENCH_RECIPES); do \
		$(BIN)/saflex bench overhead $$recipe --memory --device $(BENCH_DEVICE) --write; done
	set -e; for recipe in $(BENCH_EPOCHS); do $(BIN)/saflex bench epoch $$recipe --device $(BENCH_DEVICE) --write; done
	$(BIN)/saflex bench sweep --device $(BENCH_DEVICE) --write
	$(BIN)/saflex bench page --write
	$(BIN)/saflex claims --write

# An environment of its own: nothing else here needs higher, torchopt and betty.
PEERS := .venv-peers/bin/python
PEERS_INSTALL := $(BIN)/uv pip install --quiet --python $(PEERS)
.venv-peers/.installed: $(BIN)/.installed benchmarks/requirements.txt
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-peers
	$(PEERS_INSTALL) --require-hashes -r requirements.lock || UV_SYSTEM_CERTS=true $(PEERS_INSTALL) --require-hashes -r requirements.lock
	$(PEERS_INSTALL) -r benchmarks/requirements.txt || UV_SYSTEM_CERTS=true $(PEERS_INSTALL) -r benchmarks/requirements.txt
	$(PEERS_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

bench-peers: .venv-peers/.installed  ## The same beside L2RW and Meta-Weight-Net through their own packages
	$(PEERS) benchmarks/peers.py --device $(BENCH_DEVICE) --write
	$(BIN)/saflex bench page --write

golden: install  ## Rewrite the reviewed texts in tests/golden
	SAFLEX_UPDATE_GOLDEN=1 $(BIN)/python -m pytest -q tests/config tests/store

lock: install  ## Resolve anew to the latest versions
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --upgrade \
		--all-extras pyproject.toml requirements-build.in -o requirements.lock
	echo uv | $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		--upgrade - -o requirements-uv.lock

wheel: install  ## Build the wheel and try it in an empty environment
	$(BIN)/python -m build --wheel --no-isolation
	rm -rf build/wheel-test && $(PYTHON) -m venv build/wheel-test
	$(WHEEL) dist/saflex-*.whl || UV_SYSTEM_CERTS=true $(WHEEL) dist/saflex-*.whl
	cd build && wheel-test/bin/saflex --version && wheel-test/bin/saflex recipes

clean:  ## Remove what can be made again (not results)
	rm -rf .venv .venv-peers build dist runs .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
