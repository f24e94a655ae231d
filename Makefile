# Each target sets up .venv by itself. Needs Python 3.11 or newer and nothing else installed by hand.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help report app test pages inputs lab drags screens fuzz lock locked audit bench fidelity features formulas schema front-door check clean

help:
	@echo "make report   reports/01_which_approach.html and .pdf, and the answer in one sentence"
	@echo "make app      the cockpit in the browser, without code"
	@echo "make test     all tests (browser tests where a Chromium is found)"
	@echo "make pages    every report of every example says the same (some ten minutes)"
	@echo "make inputs   every input of every example is saved, comes back and moves a number (ten minutes)"
	@echo "make reading  all reports at the width of a desk and a phone, and on paper, with pictures"
	@echo "make lab      JupyterLab on the notebooks"
	@echo "make drags    200 drags of the sliders in a real Chromium, fresh and reloaded"
	@echo "make screens  pictures of every cockpit, wide and narrow, in reports/screens"
	@echo "make fuzz     50,000 hostile inputs, each computed or refused in one sentence (hours)"
	@echo "make lock     requirements.lock anew, and what make locked does"
	@echo "make locked   the lock installed once, by its hashes, in a throw-away environment"
	@echo "make audit    known vulnerabilities of what is pinned"
	@echo "make bench    speed against the budgets"
	@echo "make fidelity the model beside published measurements"
	@echo "make features what peers can do, each tried here (two minutes)"
	@echo "make formulas docs/formulas.md from the docstrings"
	@echo "make schema   the JSON Schema of scenario files from the classes"
	@echo "make front-door  the pictures and numbers of the README, as of today"
	@echo "make check    lint, formatting, notebooks without outputs, types"

$(READY): requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@

report: $(READY)
	$(BIN)/costmodel report 01_which_approach -o reports

app: $(VENV)/.app
	$(BIN)/costmodel app

$(VENV)/.app: $(READY)
	$(BIN)/python -m pip install --quiet "voila>=0.5,<0.6"
	@touch $@

test: $(READY)
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

pages: $(READY)
	COSTMODEL_PAGES=all $(BIN)/python -m pytest tests/whole/test_one_answer.py

inputs: $(READY)
	COSTMODEL_INPUTS=all $(BIN)/python -m pytest -n auto tests/whole/test_every_input.py

reading: $(READY)
	mkdir -p reports/screens
	COSTMODEL_READING=all COSTMODEL_SCREENSHOTS=reports/screens $(BIN)/python -m pytest tests/whole/test_reading.py

lab: $(READY)
	$(BIN)/jupyter lab notebooks

drags: $(READY)
	COSTMODEL_DRAGS=200 $(BIN)/python -m pytest -n 0 tests/whole/test_browser.py

screens: $(READY)
	$(BIN)/python benchmarks/screens.py

fuzz: $(READY)
	COSTMODEL_HOSTILE=all $(BIN)/python -m pytest -n 0 tests/hostile/test_public_surface.py
	PYTHONPATH=.:tests $(BIN)/python tests/fuzzers.py 50000

$(VENV)/.locker: $(READY)
	$(BIN)/python -m pip install --quiet uv pip-audit
	@touch $@

lock: $(VENV)/.locker
	cp requirements.lock $(VENV)/lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11.5 --generate-hashes \
		--no-header --no-annotate requirements.txt -o $(VENV)/lock
	@{ sed -n '/^#/p' requirements.lock; cat $(VENV)/lock; } > $(VENV)/headed
	mv $(VENV)/headed requirements.lock
	$(MAKE) locked

locked:
	rm -rf $(VENV)/throw-away && $(PYTHON) -m venv $(VENV)/throw-away
	$(VENV)/throw-away/bin/pip install --quiet --require-hashes --no-deps -r requirements.lock
	rm -rf $(VENV)/throw-away

audit: $(VENV)/.locker
	@$(BIN)/pip-audit --disable-pip -r requirements.lock > $(VENV)/audit.txt 2>&1; code=$$?; \
	if grep -qE "could not be audited: numpy|Max retries|ConnectionError|ServiceError" \
		$(VENV)/audit.txt; \
	then echo "audit: the data of vulnerabilities cannot be reached; nothing was checked"; \
	else cat $(VENV)/audit.txt; exit $$code; fi

bench: $(VENV)/.peers
	$(BIN)/python benchmarks/bench.py

$(VENV)/.peers: $(READY) benchmarks/requirements.txt
	$(BIN)/python -m pip install --quiet -r benchmarks/requirements.txt
	@touch $@

fidelity: $(READY)
	$(BIN)/python benchmarks/fidelity.py

features: $(READY)
	$(BIN)/python benchmarks/features.py

formulas: $(READY)
	$(BIN)/python benchmarks/formulas.py

schema: $(READY)
	$(BIN)/python benchmarks/scenario_schema.py

front-door: $(READY)
	$(BIN)/python benchmarks/front_door.py

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/nbstripout --verify notebooks/*.ipynb
	$(BIN)/mypy

clean:
	rm -rf $(VENV) reports build dist *.egg-info
