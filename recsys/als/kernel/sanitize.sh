#!/usr/bin/env bash
# Builds the kernel with AddressSanitizer and UndefinedBehaviorSanitizer, then with ThreadSanitizer, and runs the kernel's
# tests against each build. Needs recsys with its `dev` extra, CMake and nanobind in the active environment.
set -euo pipefail
kernel=$(cd "$(dirname "$0")" && pwd)
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

check() { # check SANITIZERS RUNTIME
    cmake -S "$kernel" -B "$build/$2" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DRECSYS_SANITIZE="$1" \
        -Dnanobind_DIR="$(python -m nanobind --cmake_dir)" -DPython_EXECUTABLE="$(command -v python)" >/dev/null
    cmake --build "$build/$2" --parallel 2 >/dev/null
    (cd "$kernel/../../.." && LD_PRELOAD="$(gcc -print-file-name="$2.so") $(gcc -print-file-name=libstdc++.so)" \
        ASAN_OPTIONS=detect_leaks=0 OPENBLAS_NUM_THREADS=1 python - "$build/$2"/_kernel*.so <<'PYTHON'
import importlib.util
import sys

# The sanitized module takes the place of the installed one before anything imports it.
name = "recsys.als._kernel"
spec = importlib.util.spec_from_file_location(name, sys.argv[1])
sys.modules[name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules[name])
import pytest

print("checking", sys.modules[name].__file__, flush=True)
tests = ["tests/als/test_half_step.py", "tests/als/test_lead.py", "tests/als/test_model.py"]
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "-k", "not implicit", *tests]))
PYTHON
    )
}

check address,undefined libasan
check thread libtsan
