# make demo    train a small Visual Wake Words model and make an Arduino project of it
# make test    run the tests under Keras 3 and under tf_keras
# make setup   make .venv with everything for development (the others do it when needed)
# make bench   measure training, the operator here and on an emulated Cortex-M4, and RAM of networks
#              (make bench-m4: only on the Cortex-M4)
# make lint    check the style

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO_OUTPUT ?= demo_output
TEST_PROCESSES ?= 2
# Of every test process, so that processes do not take the cores from each other.
ONE_THREAD := TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 OMP_NUM_THREADS=1

.PHONY: demo test setup bench bench-m4 lint native clean

demo: native
	TF_USE_LEGACY_KERAS=1 $(BIN)/python examples/visual_wake_words/demo.py --output $(DEMO_OUTPUT)

# A file's tests stay in one process, which shares what they build.
test: native
	$(ONE_THREAD) $(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile
	$(ONE_THREAD) TF_USE_LEGACY_KERAS=1 $(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile

setup: native

bench: native
	$(BIN)/rnnpool bench training
	$(BIN)/rnnpool bench desktop
	$(BIN)/rnnpool bench m4
	$(BIN)/rnnpool bench memory

bench-m4: native
	$(BIN)/rnnpool bench m4

lint: native
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m rnnpool_tf.integer.tables --check

# Rebuilds the native libraries when a C++ source changed; does nothing otherwise.
native: $(VENV)/.installed
	@$(BIN)/python setup.py -q build_ext --inplace

$(VENV)/.installed: pyproject.toml setup.py
	$(PYTHON) -c "import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))" \
	  || (echo "rnnpool_tf needs Python 3.10 to 3.13; set PYTHON=/path/to/one" >&2; exit 1)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip setuptools
	$(BIN)/pip install --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info $(DEMO_OUTPUT) rnnpool_tf/_native/*.so
