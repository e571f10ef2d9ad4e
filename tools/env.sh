# shellcheck shell=bash
# Sourced: the Node that tools/bootstrap took into .cache/node stands first in PATH, when there is one.
ts_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [[ -x $ts_root/.cache/node/bin/node && :$PATH: != *":$ts_root/.cache/node/bin:"* ]]; then
    export PATH=$ts_root/.cache/node/bin:$PATH
fi
unset ts_root
