# shellcheck shell=bash
# Sourced by every check here. A check is called with the folder to look at (the tree, or a small bad one made by
# `selftest`), prints `file:line: what is wrong` for each finding, and ends with 1 if there was one.
set -eu
root=$(cd "${1:-$(dirname "${BASH_SOURCE[0]}")/../..}" && pwd)
cd "$root"

# files PATTERN...: paths in the tree, ignored ones left out, that match one of the patterns (git's, so * passes /)
files() {
    if [[ -e .git ]]; then
        # A file that is deleted but not yet committed is still in the index.
        git ls-files --cached --others --exclude-standard --deduplicate -- "$@" | while IFS= read -r file; do
            if [[ -f $file ]]; then printf '%s\n' "$file"; fi
        done
    else
        local pattern
        for pattern in "$@"; do
            find . -type f -path "./${pattern#:/}" -o -type f -path "./*/$pattern"
        done | sed 's|^\./||' | sort -u
    fi
}

# shell_files: scripts by name or by their first line
shell_files() {
    local file line
    files '*' | while IFS= read -r file; do
        case $file in
        *.sh) printf '%s\n' "$file" ;;
        *.*) ;;
        *)
            IFS= read -r line <"$file" 2>/dev/null || true
            if [[ $line =~ ^#!.*[/\ ](ba|da)?sh( |$) ]]; then printf '%s\n' "$file"; fi
            ;;
        esac
    done 2>/dev/null
}
