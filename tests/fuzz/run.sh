#!/usr/bin/env bash
# Fuzz the readers of exports with atheris (libFuzzer): tests/fuzz/run.sh [INPUTS] [FOLDER]
# Needs the project in the python that is first on the PATH; atheris goes into an environment of its own that sees it.
# Prints how many inputs were read and refused, in how many seconds, and the slowest. A finding is written to
# FOLDER/findings and ends the run with an error; libFuzzer's own options may follow.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
inputs="${1:-100000}"
folder="${2:-$(mktemp -d)}"
venv="${FUZZ_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/recsys-fuzz}"
if [ ! -x "$venv/bin/python" ]; then
  python -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "atheris>=3,<4"
fi
outer="$(python -c 'import site; print(site.getsitepackages()[0])')"
inner="$("$venv/bin/python" -c 'import site; print(site.getsitepackages()[0])')"
echo "import site; site.addsitedir('$outer')" > "$inner/outer.pth"
mkdir -p "$folder/corpus" "$folder/findings"
"$venv/bin/python" "$here/targets.py" --seeds "$folder/corpus"
exec "$venv/bin/python" "$here/targets.py" -runs="$inputs" -max_len=4096 -timeout=10 -rss_limit_mb=2048 \
  -artifact_prefix="$folder/findings/" -dict="$here/words.dict" "${@:3}" "$folder/corpus"
