# shellcheck shell=bash
# Sourced by the tests of the tools: a copy of tools/ in a folder of its own, and a PATH with or without some programs.
set -eu
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tree"
cp -r "$source_dir/tools" "$work/tree/"

fail() {
    echo "FAILED: $*"
    cat "$work/out" 2>/dev/null
    exit 1
}

# path_without NAME...: a folder with links to every program of PATH but these
path_without() {
    local folder=$work/path program name
    rm -rf "$folder"
    mkdir "$folder"
    IFS=: read -ra folders <<<"$PATH"
    for dir in "${folders[@]}"; do
        [[ $dir == *"/.cache/node/"* ]] && continue
        for program in "$dir"/*; do
            name=${program##*/}
            [[ " $* " == *" $name "* || -e $folder/$name ]] || ln -s "$program" "$folder/$name"
        done
    done 2>/dev/null
    echo "$folder"
}
