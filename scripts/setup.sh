#!/bin/sh
# Make .venv if need be and install a lock file and this package into it: scripts/setup.sh LOCKFILE
# Does nothing when that is done already. Needs Python 3.11 or newer with venv and pip, and a package index.
# PYTHON=/path/to/python3 chooses the interpreter.
set -eu
cd "$(dirname "$0")/.."

lock=$1
venv=.venv
stamp=$venv/.installed

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
        if new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    found=$("${PYTHON:-python3}" --version 2>&1) || found="no ${PYTHON:-python3} that runs"
    cat >&2 <<MESSAGE
Python 3.11 or newer is needed; found: $found.
  Debian 12+, Ubuntu 24.04+:  sudo apt-get install python3 python3-venv
  Fedora:                     sudo dnf install python3
  macOS:                      brew install python@3.13
  elsewhere:                  https://www.python.org/downloads/
If it is installed under another name:  make PYTHON=/path/to/python3 ${GOAL:-demo}
MESSAGE
    return 1
}

make_venv() {
    python=$(find_python)
    if ! "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then
        cat >&2 <<MESSAGE
$python ($("$python" --version 2>&1)) cannot make virtual environments: its modules venv and ensurepip (pip) are missing.
  Debian, Ubuntu:  sudo apt-get install python3-venv
  elsewhere:       install Python from https://www.python.org/downloads/, which brings both
MESSAGE
        return 1
    fi
    echo "Making $venv with $("$python" --version 2>&1) ..." >&2
    "$python" -m venv --clear "$venv"
}

# What an up-to-date .venv has been given: the lock, the project file, and where the package lies.
fingerprint() {
    printf '%s %s %s\n' "$1" "$(cat "$1" pyproject.toml | cksum)" "$PWD"
}

if ! new_enough "$venv/bin/python" || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    make_venv
fi
# requirements-dev.lock holds all of requirements.lock.
for done_already in "$lock" requirements-dev.lock; do
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(fingerprint "$done_already")" ]; then
        exit 0
    fi
done
echo "Installing $lock into $venv (the first time takes a minute or two) ..." >&2
rm -f "$stamp"
"$venv/bin/python" -m pip install -qq --disable-pip-version-check --require-hashes -r "$lock"
"$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
fingerprint "$lock" >"$stamp"
