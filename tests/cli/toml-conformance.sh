#!/bin/sh
# The TOML reader against toml-test's cases: every valid document has the expected value, every invalid one is refused.
# usage: toml-conformance.sh DECODER DATA_DIR
set -eu

if [ $# -ne 2 ]; then
	echo "usage: $0 DECODER DATA_DIR" >&2
	exit 2
fi
if [ ! -d "$2/valid" ] || [ ! -d "$2/invalid" ]; then
	echo "SKIP toml-test cases are not in '$2'"
	exit 77
fi
if [ ! -x /usr/bin/python3 ]; then
	echo "SKIP /usr/bin/python3, which compares the values, is not installed"
	exit 77
fi
exec /usr/bin/python3 - "$1" "$2" <<'PYTHON'
import json
import math
import pathlib
import re
import subprocess
import sys

decoder, data = sys.argv[1], pathlib.Path(sys.argv[2])


def same_time(a, b):
    """Equal but for case, the separator and zeros at the end of the fraction."""
    def normal(s):
        s = s.upper().replace(" ", "T")
        s = re.sub(r"(\.\d*?)0+(?=\D|$)", r"\1", s)
        return re.sub(r"\.(?=\D|$)", "", s).replace("+00:00", "Z").replace("-00:00", "Z")
    return normal(a) == normal(b)


def same_float(a, b):
    a, b = float(a.replace("_", "")), float(b.replace("_", ""))
    return math.isnan(a) and math.isnan(b) or a == b


def same(want, got):
    if isinstance(want, list):
        return isinstance(got, list) and len(want) == len(got) and all(map(same, want, got))
    if not isinstance(want, dict) or not isinstance(got, dict) or want.keys() != got.keys():
        return False
    if want.keys() == {"type", "value"} and isinstance(want["type"], str):
        kind, w, g = want["type"], want["value"], got["value"]
        if kind != got["type"]:
            return False
        if kind == "float":
            return same_float(w, g)
        if kind == "integer":
            return int(w) == int(g)
        if kind in ("datetime", "datetime-local", "date-local", "time-local"):
            return same_time(w, g)
        return w == g
    return all(same(want[k], got[k]) for k in want)


def fault(path, valid):
    """What is wrong with the decoder's answer, or None."""
    with open(path, "rb") as source:
        run = subprocess.run([decoder], stdin=source, capture_output=True)
    if not valid:
        if run.returncode != 1:
            return f"status {run.returncode}, expected 1: {run.stdout!r}"
        return None if run.stderr else "refused without a message"
    if run.returncode != 0:
        return f"status {run.returncode}: {run.stderr.decode(errors='replace').strip()}"
    want = json.loads(path.with_suffix(".json").read_text())
    try:
        right = same(want, json.loads(run.stdout))
    except (ValueError, KeyError, TypeError):
        right = False
    return None if right else f"expected {want}, got {run.stdout!r}"


passed = failed = 0
for kind in ("valid", "invalid"):
    for case in sorted((data / kind).rglob("*.toml")):
        wrong = fault(case, kind == "valid")
        if wrong:
            failed += 1
            print(f"FAIL {case.relative_to(data)}: {wrong}")
        else:
            passed += 1
print(f"toml-test: {passed} passed, {failed} failed")
sys.exit(1 if failed or not passed else 0)
PYTHON
