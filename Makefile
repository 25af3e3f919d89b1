# Every target sets up what it needs: Python 3.11, gcc and make are enough.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# It wants opencv-python, whose files are those of opencv-python-headless.
TIDE := tidecv==1.0.1

# Modules of the public names, whose signatures mypy checks.
TYPED := data/source data/image_check data/pipeline data/records detection/predict \
	evaluation/detections export/detectors models/yolov2 models/darknet19 zoo/names

.PHONY: help setup demo test test-slow test-web android test-android docs lint format clean

help:
	@echo "make demo       train a small digit detector, score it, draw what it finds (minutes)"
	@echo "make test       run the tests, but for those of make test-slow and make test-web"
	@echo "make test-slow  run the proofs that take minutes"
	@echo "make test-web   fetch LiteRT.js and Chromium, run the tests of the web page"
	@echo "make android    build the phone app; MODEL=model.tflite packs that model"
	@echo "make test-android  start the phone app on this machine; run its models, against Python"
	@echo "make docs       make the pages of docs/ into a site, build/docs/index.html"
	@echo "make lint       check style"
	@echo "make format     mend style"

setup: $(STAMP)

$(STAMP): requirements.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "needs Python 3.11 as $(PYTHON): make PYTHON=…" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e . $(TIDE)
	touch $@

demo: setup
	$(BIN)/yolov2 demo --out demo_output

# Two processes, each with files of its own: what a file prepares is prepared once. The order is that
# of tests/conftest.py; xdist's own begins with the files of the most tests, which are quick ones.
test: setup
	$(BIN)/python -m pytest -m "not slow and not browser" -n 2 --dist loadfile --no-loadscope-reorder

test-slow: setup
	$(BIN)/python -m pytest -m slow -n 2 --dist loadfile --no-loadscope-reorder

# Here nothing that is missing is skipped: without npm's registry or Chromium this fails.
test-web: setup
	command -v npm >/dev/null || { apt-get update -qq && \
		apt-get install -y -qq --no-install-recommends nodejs npm; }
	cd web_demo && npm ci --no-audit --no-fund
	command -v chromium >/dev/null || { apt-get update -qq && \
		apt-get install -y -qq --no-install-recommends chromium; }
	YOLOV2_WEB_TESTS=required $(BIN)/python -m pytest tests/web tests/cli/test_demo_web.py

# Real objects come first in the app: the shipped starters, made into files for phones here.
NETWORKS := yolov2_tf/zoo/networks
STARTERS := $(patsubst $(NETWORKS)/%.keras,android_demo/build/models/%.tflite,\
	$(wildcard $(NETWORKS)/starter*.keras))

android_demo/build/models/%.tflite: $(NETWORKS)/%.keras android_demo/starter.py \
		$(wildcard export/*.py) | setup
	$(BIN)/python android_demo/starter.py $@

android: $(if $(MODEL),,$(STARTERS))
	android_demo/build_apk.sh $(MODEL)

test-android: setup $(STARTERS)
	command -v mvn >/dev/null && command -v javac >/dev/null || { apt-get update -qq && \
		apt-get install -y -qq --no-install-recommends maven openjdk-17-jdk-headless; }
	$(BIN)/python android_demo/hosttest/goldens.py android_demo/build/goldens \
		--shipped android_demo/app/src/main/assets android_demo/build/models --model $(MODEL)
	mvn -B -ntp -C -f android_demo/hosttest/pom.xml test
	android_demo/resources.sh android_demo/build/resources android_demo/build/goldens/*.tflite
	mvn -B -ntp -C -f android_demo/apptest/pom.xml test

# Material for MkDocs praises its successor otherwise.
docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Imports are checked in the form of the wheel, where export/ and web_demo/ are inside the package.
lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	rm -rf build/house && mkdir -p build/house && cp -r yolov2_tf build/house/
	cp -r export web_demo build/house/yolov2_tf/
	cd build/house && PYTHONPATH=. ../../$(BIN)/lint-imports --no-logo ../../pyproject.toml
	cp tests/typed_use.py build/house/
	cd build/house && ../../$(BIN)/mypy --config-file ../../pyproject.toml typed_use.py \
		yolov2_tf/__init__.py $(TYPED:%=yolov2_tf/%.py)

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache demo_output android_demo/build
