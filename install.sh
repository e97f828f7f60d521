#!/bin/sh
# Makes a virtual environment with the pinned dependencies, or leaves alone one that is whole: install.sh VENV [PYTHON]
# VENV/.ready, written last, holds the checkout and folder, the Python and the pins that it was made for. An environment
# that was copied, interrupted, or made with another Python than the one asked for is made anew.
set -eu
venv=$1 asked=${2-}
cd -- "$(dirname -- "$0")"
case $venv in /*) ;; *) venv=$(pwd -P)/$venv ;; esac
ready=$venv/.ready

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# Version and home of the Python behind a program, such as "3.11.2 /usr".
identity() {
    "$1" -c 'import os, platform, sys
print(platform.python_version() + " " + os.path.realpath(getattr(sys, "base_prefix", sys.prefix)))'
}

# Refuse a Python outside of what pyproject.toml allows: its program, its identity.
demand_suitable() {
    bounds=$(sed -n 's/^requires-python = ">=3\.\([0-9]*\),<3\.\([0-9]*\)"$/\1 \2/p' pyproject.toml)
    oldest=${bounds% *} newest=$((${bounds#* } - 1))
    case $2 in 3.*) minor=${2#3.} minor=${minor%%.*} ;; *) minor=0 ;; esac
    fault=
    [ "$minor" -ge "$oldest" ] || fault=old
    [ "$minor" -le "$newest" ] || fault=new
    [ -z "$fault" ] || fail "$1 is Python ${2%% *}, which is too $fault: 3.$oldest to 3.$newest are supported." \
        "Name one of them: make install PYTHON=python3.12"
}

fresh() {
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$python cannot make virtual environments: on Debian and Ubuntu, apt install python3-venv"
    if [ -e "$venv" ]; then
        [ -e "$venv/pyvenv.cfg" ] || [ -e "$ready" ] ||
            fail "VENV=$venv is there and is no virtual environment: name another folder, or remove it"
        rm -rf -- "$venv"
    fi
    mkdir -p -- "$venv"
    : >"$ready"
    "$python" -m venv "$venv"
}

made_for=$(sed -n 1p "$ready" 2>/dev/null || :)
made_with=$(sed -n 2p "$ready" 2>/dev/null || :)
pinned=$(sed -n 3p "$ready" 2>/dev/null || :)
place="$(pwd -P) in $venv"
pins=$(cat pyproject.toml constraints.txt | cksum)
works=$(identity "$venv/bin/python" 2>/dev/null || :)
python=${asked:-python3}
wanted=$works
if [ -n "$asked" ] || [ -z "$works" ] || [ "$made_for" != "$place" ] || [ "$made_with" != "$works" ]; then
    wanted=$(identity "$python") || fail "$python does not run: name a Python, such as make install PYTHON=python3.12"
    demand_suitable "$python" "$wanted"
fi

if [ "$made_for" = "$place" ] && [ "$made_with" = "$works" ] && [ "$works" = "$wanted" ]; then
    [ "$pinned" != "$pins" ] || exit 0
    echo "Installing what changed into $venv…"
    : >"$ready"
elif [ ! -e "$venv" ]; then
    echo "Setting up $venv (once, about a minute)…"
    fresh
else
    if [ -z "$made_for" ]; then reason="its installation was not finished"
    elif [ "$made_for" != "$place" ]; then reason="it was made for $made_for"
    else reason="it is of Python ${made_with:-unknown}, not $wanted"; fi
    echo "Making $venv anew, since $reason (about a minute)…"
    fresh
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[lab,dev]'
printf '%s\n' "$place" "$wanted" "$pins" >"$ready"
