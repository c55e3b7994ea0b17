# Thin: each target calls what a person could type. Works with GNU make 3.81 (macOS).
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
READY := $(VENV)/.xmr-installed

.PHONY: help demo test lab notebooks bench torture report slides overleaf lint clean

help:  ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "make %-10s %s\n", $$1, $$2}'

demo: $(READY)  ## install, draw the scenes, run every notebook on them, build report and slides
	$(BIN)/xmr demo

test: $(READY)  ## install, lint, and run all tests with coverage
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --cov --cov-report=term:skip-covered --cov-fail-under=90

lab: $(READY)  ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks

notebooks: $(READY)  ## run the notebooks in batch; ARGS="--dataset flickr8k --data PATH --profile full --seeds 0,1,2"
	$(BIN)/xmr run $(ARGS)

report: $(READY)  ## build the paper and its supplement; ARGS="--dataset flickr8k --galleries-from scenes"
	$(BIN)/xmr report $(ARGS)

slides: $(READY)  ## build the slides; the same ARGS
	$(BIN)/xmr slides $(ARGS)

overleaf: $(READY)  ## pack the sources for Overleaf: report/build/overleaf.zip; the same ARGS
	$(BIN)/xmr overleaf $(ARGS)

bench: $(READY)  ## measure speed against other libraries, search engines side by side, and the page; LONG=1: a million vectors, too
	$(BIN)/python benchmarks/bench.py $(if $(LONG),--long)
	$(BIN)/python benchmarks/rates.py
	$(BIN)/python benchmarks/engines.py $(if $(LONG),--long) $(ARGS)
	$(BIN)/python benchmarks/page.py $(if $(LONG),--long)

torture: $(READY)  ## change files, flip bits, kill and do twice at once, for half an hour; ARGS="--times 100" for longer
	$(BIN)/python benchmarks/torture.py $(ARGS)

lint: $(READY)  ## put code into shape and strip notebook outputs
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/nbstripout notebooks/*.ipynb

clean:  ## remove what can be made again (cache/ with stores and checkpoints, built documents, test leftovers); runs/ and models/ stay
	rm -rf cache build report/build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage

# A virtual environment that is there already (make VENV=…) gets the package installed into it.
$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --upgrade-strategy only-if-needed -e '.[all]' $(PIP_ARGS)
	touch $(READY)
