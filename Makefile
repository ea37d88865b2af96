# `make` sets up an environment and runs the default study; `make test` sets up and runs the tests.
PYTHON ?= python3
CORES ?= all
VENV := .venv
ACTIVATE := . $(VENV)/bin/activate

.DEFAULT_GOAL := study
.PHONY: study test test-conda test-slurm config clean

study: $(VENV)/.complete
	$(ACTIVATE) && snakemake --cores $(CORES)

test: $(VENV)/.complete
	$(ACTIVATE) && ruff check . && ruff format --check . && snakefmt --check Snakefile rules && mypy
	$(ACTIVATE) && OMP_NUM_THREADS=1 pytest -n auto --dist loadgroup

config: $(VENV)/.complete # writes what is written from the classes of settings: config.yaml, its schema, its reference
	$(ACTIVATE) && python workflow_scripts/describe_configuration.py

test-conda: $(VENV)/.complete # builds the environments of envs/ with a stand-in for conda: minutes and gigabytes
	$(ACTIVATE) && VOCODER_PARETO_CONDA_TEST=1 pytest tests/workflow/test_environments.py

test-slurm: $(VENV)/.complete # brings up a real Slurm on this machine: root, Debian's slurm-wlm and munge
	$(ACTIVATE) && VOCODER_PARETO_SLURM_TEST=1 pytest tests/slurm

$(VENV)/.complete: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	    { echo "error: $(PYTHON) is not Python 3.11, 3.12 or 3.13; call make PYTHON=python3.12, say" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade pip
	$(VENV)/bin/python -m pip install --quiet --requirement requirements.txt
	@touch $@

clean: # leaves results alone
	rm -rf $(VENV)
