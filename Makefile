# Thin: each line is a command that a person could type. Everything is installed into $(VENV), nothing elsewhere.
#
#   make test PYTHON=python3.11    the interpreter that the environment is made with
#   make test VENV=~/gluonzoo-venv where the environment is
#   make test PARITY=1             compares with PyTorch too

VERSIONS := 3.9 3.10 3.11 3.12
NUMPYS   := 1.23.5 1.24.4 1.25.2 1.26.4
VENV     := .venv
comma    := ,
EXTRAS   := cpu,test$(if $(PARITY),$(comma)parity)

# $(call find_python,3.9 3.10): the first interpreter of such a version. Each is run, since the shim of a version
# manager is there without the Python behind it.
find_python = $(shell for python in python3 $(VERSIONS:%=python%) "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/*/bin/python3; \
	do "$$python" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] not in "$(1)".split())' 2>/dev/null \
	&& { echo "$$python"; break; }; done)
PYTHON = $(call find_python,$(VERSIONS))

BIN   = $(VENV)/bin
STAMP = $(VENV)/.installed-$(subst $(comma),-,$(EXTRAS))
CPP  := $(sort $(foreach suffix,h cuh cc cu,$(wildcard src/*/*.$(suffix) src/*/*/*.$(suffix))))

.PHONY: help install lint test demo demo-ops bench test-pythons test-numpys clean

help:
	@echo 'make demo          draw a dataset, train a detector on it from scratch, and look at what it finds: demo/'
	@echo 'make demo-ops      draw what the operators compute: demo/corner_pools.png'
	@echo 'make test          lint, then every test; with PARITY=1 beside PyTorch too'
	@echo 'make lint          ruff, clang-format, shellcheck'
	@echo 'make bench         time operators and networks beside PyTorch: bench_ops.json, bench_models.json'
	@echo 'make test-pythons  the operators on each Python that is found, of $(VERSIONS)'
	@echo 'make test-numpys   the import on NumPy $(NUMPYS)'
	@echo 'make clean         remove the environments and what was compiled'

install: $(STAMP)

# Where only sources of the library have changed, compiling it in place is enough.
$(STAMP): pyproject.toml setup.py $(CPP)
	@test -n "$(PYTHON)" || { echo 'make: no Python $(VERSIONS) found; name one: make PYTHON=/path/to/python'; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(if $(filter pyproject.toml,$?),$(BIN)/pip install -q --upgrade pip && $(BIN)/pip install -q -e '.[$(EXTRAS)]', \
		$(BIN)/python setup.py -q build_ext --inplace)
	@! test -f gluonzoo/ops/library_build.txt || cat gluonzoo/ops/library_build.txt
	@touch $@

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/clang-format --dry-run -Werror $(CPP) $(wildcard unittests/*/*.h unittests/*/*.cc)
	$(BIN)/shellcheck build.sh .ci/run

test: lint
	$(BIN)/python -m pytest unittests

# Run again, it goes on where it was.
DEMO := demo
demo: $(STAMP)
	$(BIN)/gluonzoo data pikachu --synthetic --size 256 --out $(DEMO)/data
	$(BIN)/gluonzoo train dsod --small --data $(DEMO)/data --run $(DEMO)/run $(if $(wildcard $(DEMO)/run/settings.json),--resume)
	$(BIN)/gluonzoo evaluate --run $(DEMO)/run --picture $(DEMO)/detections.jpg

demo-ops: $(STAMP)
	$(BIN)/python scripts/demo_ops.py --out $(DEMO)/corner_pools.png

bench:
	$(MAKE) install PARITY=1
	$(BIN)/python scripts/bench/bench_ops.py --json bench_ops.json
	$(BIN)/python scripts/bench/bench_models.py --json bench_models.json

test-pythons: $(VERSIONS:%=test-python-%) test-numpys

test-python-%:
	@$(if $(call find_python,$*),$(MAKE) test-on PYTHON="$(call find_python,$*)" VENV=.venv-$*,echo "Python $*: not found, skipped")

.PHONY: test-on
test-on: $(STAMP)
	$(BIN)/python -m pytest unittests/test_runtime.py unittests/test_pool.py

# On one environment: pip chooses the releases of the other packages that suit each NumPy.
test-numpys:
	$(MAKE) install VENV=.venv-numpy PYTHON="$(call find_python,3.11 3.10)"
	set -e; for numpy in $(NUMPYS); do \
		.venv-numpy/bin/pip install -q -e '.[cpu,test]' "numpy==$$numpy"; \
		.venv-numpy/bin/python -m pytest unittests/test_runtime.py -k import; done

clean:
	rm -rf .venv .venv-* build *.egg-info gluonzoo/ops/libcorner_pool.so gluonzoo/ops/library_build.txt
