# shellcheck shell=bash disable=SC2154
# Part of tests/bench/run: what a message costs, memory over a soak, and a store of ROWS_STORED messages (1,000,000), filtered and searched.

ROWS_STORED=${ROWS_STORED:-1000000}
SOAK_SECONDS=${SOAK_SECONDS:-20} # 300 with --record

cpu_of() { # process ids -> seconds of processor so far; children that were waited for included
  local one ticks=0 fields
  for one in "$@"; do
    read -r -a fields < <(sed 's/^.*) //' "/proc/$one/stat" 2>/dev/null) || continue
    ticks=$((ticks + fields[11] + fields[12] + fields[13] + fields[14]))
  done
  awk -v t="$ticks" -v hz="$(getconf CLK_TCK)" 'BEGIN {printf "%.2f", t/hz}'
}
pg_processes() { local head; head=$(head -1 "$work/pg/postmaster.pid"); echo "$head"; pgrep -P "$head"; }
cpu_pg() { mapfile -t cpu_list < <(pg_processes); cpu_of "${server[pg]}" "${cpu_list[@]}"; }
wal_pg() { psql -qAt "$(pg_url ours)" -c "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"; }
written() { awk '/^write_bytes/ {print $2}' "/proc/$1/io"; }
per_thousand() { awk -v a="$1" -v b="$2" -v n="$3" -v f="$4" 'BEGIN {printf f, (b-a)*1000/n}'; }

# What was just ingested is indexed for the search while it is quiet: that is not what the next figures are about.
wait_indexed() {
  local behind='SELECT (SELECT last_seq FROM change_seq) - seq FROM search_progress' i
  for ((i = 0; i < 600; i++)); do
    [ "$(PGOPTIONS='-c search_path=tp_capital' psql -qAt "$(pg_url ours)" -c "$behind")" -gt 0 ] ||
      [ "$(sqlite3 -readonly "$work/sqlite/tp-capital.db" "$behind")" -gt 0 ] || return 0
    sleep 1
  done
  say "bench: the index of the search is behind after 600 s"
}

# Of one run of ingest each: seconds of processor (API and server), bytes of WAL (PostgreSQL) or to disk (SQLite), for 1,000 messages.
measure_costs() {
  local cpu wal n
  say "bench: cost of a message"
  cpu=$(cpu_pg) wal=$(wal_pg)
  n=$(($(ingest "${port[pg]}" 64) * SECONDS_EACH))
  cost_cpu_pg=$(per_thousand "$cpu" "$(cpu_pg)" $n %.3f) cost_wal_pg=$(per_thousand "$wal" "$(wal_pg)" $n %.0f)
  cpu=$(cpu_of "${server[sqlite]}") wal=$(written "${server[sqlite]}")
  n=$(($(ingest "${port[sqlite]}" 64) * SECONDS_EACH))
  cost_cpu_sqlite=$(per_thousand "$cpu" "$(cpu_of "${server[sqlite]}")" $n %.3f)
  cost_wal_sqlite=$(per_thousand "$wal" "$(written "${server[sqlite]}")" $n %.0f)
}

# Memory after a fifth of the time, and at the end, with 200 messages a second, and a list and a search each second.
soak_one() { # name
  local half i refused=0
  "$bin/bench_pace" "http://127.0.0.1:${port[$1]}/ingest" "$token" 200 "$SOAK_SECONDS" >>"$log" 2>&1 &
  local load=$!
  for ((i = 0; i < SOAK_SECONDS; i++)); do
    [ $i = $((SOAK_SECONDS / 5)) ] && half=$(rss_mib "${server[$1]}")
    curl -fsS -o /dev/null "http://127.0.0.1:${port[$1]}/signals?limit=100" >>"$log" 2>&1 || refused=$((refused + 1))
    curl -fsS -o /dev/null "http://127.0.0.1:${port[$1]}/signals?limit=100&search=preg%C3%A3o%20$i" >>"$log" 2>&1 || refused=$((refused + 1))
    sleep 1
  done
  wait "$load" || say "bench: $1 did not answer every message with 200 in the soak"
  echo "$half $(rss_mib "${server[$1]}") $refused" >"$work/soak.$1"
}
measure_soak() {
  say "bench: soak of $SOAK_SECONDS s"
  soak_one pg & local first=$!
  soak_one sqlite
  wait $first
}

# A store with many rows. What the index of the search costs is in the time of filling.
measure_stored() {
  local store
  say "bench: filling $ROWS_STORED rows, on PostgreSQL and on SQLite"
  as_postgres "$pgbin/createdb" -h 127.0.0.1 -p "$pgport" -U postgres stored
  mkdir "$work/stored.sqlite"
  "$bin/bench_fill" postgres "$(pg_url stored)" "$ROWS_STORED" >"$work/fill.pg" 2>>"$log"
  "$bin/bench_fill" sqlite "$work/stored.sqlite/tp-capital.db" "$ROWS_STORED" >"$work/fill.sqlite" 2>>"$log"
  start_ours stored.pg "$(pg_url stored)"
  start_ours stored.sqlite ""
  for store in pg sqlite; do
    say "bench: filters and searches, $store"
    node tests/bench/search.mjs "http://127.0.0.1:${port[stored.$store]}" 40 >"$work/stored.$store.out" 2>>"$log"
    rss_stored[$store]=$(rss_mib "${server[stored.$store]}")
  done
}
declare -A rss_stored

p95() { awk -F'\t' -v kind="$2" '$1==kind {print $4}' "$work/stored.$1.out"; }
slowest() { awk -F'\t' -v group="$2" '$2==group && $1 !~ /^all / && $4+0>max {max=$4; kind=$1} END {printf "%s %s", max, kind}' "$work/stored.$1.out"; }

stored_rows() { # the rows of the table
  local store name
  for store in pg sqlite; do
    name=PostgreSQL; [ $store = sqlite ] && name=SQLite
    row "$ROWS_STORED rows, $name: p95 of all filters, pages 1 and 1,000, ms" "$(p95 $store 'all filters')" "slowest kind: $(slowest $store filter)" "" "≤ 20 ms" "$(verdict "$(p95 $store 'all filters')" '<=' 20)"
    row "$ROWS_STORED rows, $name: p95 of all searches of 3 characters or more, ms" "$(p95 $store 'all searches')" "slowest kind: $(slowest $store search)" "" "≤ 50 ms" "$(verdict "$(p95 $store 'all searches')" '<=' 50)"
    row "$ROWS_STORED rows, $name: memory (RSS) after that, MiB" "${rss_stored[$store]}" "" "" "" ""
    local before after refused
    read -r before after refused <"$work/soak.$store"
    row "memory over a soak of $SOAK_SECONDS s at 200 messages/s, $name, MiB, after a fifth and at the end" "$before, $after" "" "" "flat" "$(verdict "$after" '<=' "$(awk -v a="$before" 'BEGIN {print a+1}')")"
    row "lists and searches refused in that soak, $name, of $((2 * SOAK_SECONDS))" "$refused" "" "" "0" "$(verdict "$refused" '<=' 0)"
  done
  row "1,000 messages, PostgreSQL: processor seconds (API and server), bytes of WAL" "$cost_cpu_pg, $cost_wal_pg" "" "" "" ""
  row "1,000 messages, SQLite: processor seconds, bytes written" "$cost_cpu_sqlite, $cost_wal_sqlite" "" "" "" ""
}
