# shellcheck shell=bash
# Shared by the scripts in this folder: sourced, never run.
#
# Variables after sourcing: ROOT (the checkout), STATE (ROOT/.odoo), PYTHON, ODOO_RC.
# After use_postgres also PGHOST and PGUSER, so that psql and createdb reach the cluster.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
STATE="$ROOT/.odoo"
PYTHON="$STATE/venv/bin/python"
ODOO_BIN="$STATE/bin/odoo-bin"
export ODOO_RC="$STATE/odoo.conf"
export HYPOTHESIS_STORAGE_DIRECTORY="$STATE/cache/hypothesis"
export PYTHONUNBUFFERED=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# Odoo is loaded many times, and to compile it each time takes longer than all else of that.
unset PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX="$STATE/cache/bytecode"

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# The comment at the head of the script that is running.
show_help() {
    sed -n '2,/^set -/{/^# \{0,1\}/s///p}' "$0"
    exit 0
}

say() { printf '%s\n' "$*"; }

is_root() { [ "$(id -u)" = 0 ]; }

hash_of() { sha256sum | cut -c1-16; }

stamp_is() { [ -f "$STATE/stamp/$1" ] && [ "$(cat "$STATE/stamp/$1")" = "$2" ]; }

set_stamp() { mkdir -p "$STATE/stamp" && printf '%s\n' "$2" >"$STATE/stamp/$1"; }

run_setup() {
    "$ROOT/script/setup" --quiet || exit 1
}

free_port() {
    "$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# ---------------------------------------------------------------------------
# The private PostgreSQL cluster
# ---------------------------------------------------------------------------

# Newest installed server of at least version 15, as a bin folder.
pg_bin() {
    local initdb
    initdb=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
    [ -x "$initdb" ] || initdb=$(command -v initdb) || return 1
    [ "$("$initdb" --version | grep -oE '[0-9]+' | head -n 1)" -ge 15 ] || return 1
    dirname "$initdb"
}

# PostgreSQL refuses to run as root, so root hands over to the package's own user.
as_pg() {
    if is_root; then
        (cd / && exec runuser -u postgres -- "$@")
    else
        (cd / && exec "$@")
    fi
}

load_pg() {
    [ -s "$STATE/pg.location" ] || die "no database cluster yet; run script/setup first."
    PG_HOME=$(cat "$STATE/pg.location")
    PG_BIN=$(pg_bin) || die "PostgreSQL 15 or newer is not installed; run script/setup."
    PG_DATA="$PG_HOME/data"
    export PGHOST="$PG_HOME/run" PGUSER=odoo
    unset PGPORT PGDATABASE PGPASSWORD PGSERVICE PGOPTIONS
    PATH="$PG_BIN:$PATH"
}

# Processes of a server whose working folder is this cluster's data folder, also one that
# was deleted under it. A process id alone proves nothing after a crash or a restart.
pg_processes() {
    # shellcheck disable=SC2016  # expanded by the inner shell, which runs as the owner
    as_pg sh -c 'for p in /proc/[0-9]*; do
        case "$(readlink "$p/cwd" 2>/dev/null)" in
        "$1" | "$1 (deleted)") [ "$(cat "$p/comm" 2>/dev/null)" != postgres ] || echo "${p#/proc/}" ;;
        esac
    done' sh "$PG_DATA"
}

pg_is_up() { "$PG_BIN/pg_isready" -q -h "$PGHOST"; }

# Wait for a server that is starting, and see off what a killed one has left.
pg_settle() {
    local processes
    for _ in $(seq 1 600); do
        pg_is_up && return 0
        mapfile -t processes < <(pg_processes)
        [ "${#processes[@]}" -gt 0 ] || return 0
        case " ${processes[*]} " in
        *" $(as_pg head -n 1 "$PG_DATA/postmaster.pid" 2>/dev/null) "*) ;;
        *) as_pg kill -QUIT "${processes[@]}" 2>/dev/null || true ;;
        esac
        sleep 0.1
    done
    die "the database server in $PG_DATA neither answers nor ends."
}

pg_start() {
    pg_settle
    ! pg_is_up || return 0
    # No process works in the data folder: whatever lock is there is stale.
    if as_pg test -e "$PG_DATA/postmaster.pid"; then
        say "      The database server was not shut down properly; starting it again."
        as_pg rm -f "$PG_DATA/postmaster.pid" "$PGHOST/.s.PGSQL.5432" "$PGHOST/.s.PGSQL.5432.lock"
    fi
    # Descriptors 7 to 9 are locks of these scripts; the server must not inherit them.
    as_pg "$PG_BIN/pg_ctl" -D "$PG_DATA" -l "$PG_HOME/server.log" -w -t 60 -s start \
        >/dev/null </dev/null 7>&- 8>&- 9>&- ||
        die "the database server does not start; its log is $PG_HOME/server.log."
}

pg_stop() {
    as_pg "$PG_BIN/pg_ctl" -D "$PG_DATA" -m fast -w -t 60 -s stop >/dev/null 2>&1 || true
}

# Start the cluster if need be and count as one of its users until the end of this
# process. The lock is shared by all users and dies with them, however they end.
use_postgres() {
    load_pg
    exec 8>>"$STATE/pg.lock"
    flock -s 8
    (
        flock 9
        pg_start
    ) 9>>"$STATE/pg.start.lock" || exit 1
}

# Counterpart for a trap on EXIT: the last user out stops the cluster, unless
# script/setup was asked by hand and so left it running.
release_postgres() {
    [ -n "${PG_DATA:-}" ] && [ ! -e "$STATE/pg.keep" ] || return 0
    if flock -xn 8; then
        pg_stop
    fi
}

# ---------------------------------------------------------------------------
# Databases
# ---------------------------------------------------------------------------

database_exists() {
    [ "$(psql -XAtq -d postgres -c "SELECT 1 FROM pg_database WHERE datname = '$1'")" = 1 ]
}

drop_database() {
    dropdb --if-exists --force --maintenance-db=postgres "$1" 2>/dev/null || return 1
    rm -rf "${STATE:?}/data/filestore/$1"
}

# createdb copies the tables only; attachments live in the filestore.
copy_database() {
    local from="$STATE/data/filestore/$1" to="$STATE/data/filestore/$2"
    createdb --maintenance-db=postgres --template="$1" --strategy=FILE_COPY "$2" || return 1
    rm -rf "$to"
    [ ! -d "$from" ] || cp -a --reflink=auto "$from" "$to"
}

rename_database() {
    psql -Xq -d postgres -c "ALTER DATABASE \"$1\" RENAME TO \"$2\"" || return 1
    rm -rf "${STATE:?}/data/filestore/$2"
    [ ! -d "$STATE/data/filestore/$1" ] || mv "$STATE/data/filestore/$1" "$STATE/data/filestore/$2"
}

# Install modules into a database; the log is shown only when something is wrong with it.
install_modules() {
    local database=$1 modules=$2 log="$STATE/log/install-$1.log" missing warnings
    shift 2
    if ! "$PYTHON" "$ODOO_BIN" --database "$database" --init "$modules" --no-http --stop-after-init \
        --log-level warn "$@" >"$log" 2>&1 </dev/null; then
        tail -n 40 "$log" >&2
        say "The modules $modules could not be installed; the whole log is $log." >&2
        return 1
    fi
    missing=$(psql -XAtq -d "$database" -c "SELECT string_agg(m, ', ') FROM unnest(string_to_array('$modules', ',')) m
        WHERE m NOT IN (SELECT name FROM ir_module_module WHERE state = 'installed')")
    if [ -n "$missing" ]; then
        tail -n 40 "$log" >&2
        say "Odoo did not install $missing; the whole log is $log." >&2
        return 1
    fi
    # Odoo only warns about a constraint it ignores, or demo data it leaves out. What it says
    # about a chart of accounts loaded by demo data has no remedy but leaving that out.
    warnings=$(grep -E '^[0-9-]+ [0-9:,]+ [0-9]+ (WARNING|ERROR|CRITICAL) ' "$log" |
        grep -vF 'Incorrect usage of try_loading' || true)
    if [[ ,$modules, == *,emsp_clearing,* ]] && [ -n "$warnings" ]; then
        say "$warnings" >&2
        say "The add-on must install without a warning; the whole log is $log." >&2
        return 1
    fi
}

# build_template NAME SOURCE MODULES [ODOO OPTION…]
# Built under another name, so that a broken one is never used. Templates that differ
# in the last part of their name only are out of date, and dropped.
build_template() {
    local template=$1 from=$2 modules=$3 prefix=${1%_*} old
    shift 3
    ! database_exists "$template" || [ ! -d "$STATE/data/filestore/$template" ] || return 0
    say "      Installing ${modules//,/, } …"
    while read -r old; do
        [ -z "$old" ] || drop_database "$old" || return 1
    done < <(psql -XAtq -d postgres -c "SELECT datname FROM pg_database WHERE datname LIKE '${prefix//_/\\_}\\_%'")
    if [ -n "$from" ]; then
        copy_database "$from" "${prefix}_new" || return 1
        # Odoo loads demo data where all that a module depends on has them, too. Ours need nothing of those,
        # and to install them takes longer than all the rest.
        [ "$*" != --with-demo ] || psql -Xq -d "${prefix}_new" -c "UPDATE ir_module_module SET demo = TRUE
            WHERE state = 'installed'" || return 1
    fi
    install_modules "${prefix}_new" "$modules" "$@" || return 1
    mkdir -p "$STATE/data/filestore/${prefix}_new"
    rename_database "${prefix}_new" "$template"
}

addon_hash() {
    (cd "$ROOT" && find emsp_clearing -type f -not -path '*/__pycache__/*' -not -path '*/.*' \
        -not -path 'emsp_clearing/tests/*' -not -path 'emsp_clearing/readme/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | hash_of)
}

# What the add-on depends on, and the given modules that are not the add-on itself.
needed_modules() {
    "$PYTHON" - "$ROOT/emsp_clearing/__manifest__.py" "$1" <<'PY'
import ast
import sys

with open(sys.argv[1], encoding="utf-8") as manifest:
    depends = ast.literal_eval(manifest.read())["depends"]
others = [m for m in sys.argv[2].split(",") if m != "emsp_clearing"]
print(",".join(sorted({*depends, *others})))
PY
}

# name_templates MODULES [--with-demo]: sets BASE_MODULES, BASE_TEMPLATE and ADDON_TEMPLATE.
# A template is named after everything that goes into it.
name_templates() {
    local kind base common
    BASE_MODULES=$(needed_modules "$1") || die "the add-on's manifest cannot be read."
    kind=$(printf '%s' "$*" | hash_of)
    common=$(printf '%s' "$1" | hash_of)
    base=$(cat "$STATE"/stamp/{odoo,venv} <(printf '%s' "$BASE_MODULES") | hash_of)
    BASE_TEMPLATE="tmpl_base_${common:0:6}_$base"
    ADDON_TEMPLATE="tmpl_addon_${kind:0:6}_$(printf '%s %s' "$base" "$(addon_hash)" | hash_of)"
}

# ensure_database [--fresh] [--with-demo] NAME MODULES
#
# Makes sure that NAME exists with MODULES (comma-separated) in the add-on's present
# state. Copies of two templates make that quick: one holds what the add-on depends on,
# the other the add-on itself, with its demo data or without. A database made from an older state is made anew;
# --fresh does so in any case.
ensure_database() {
    local fresh="" demo=() name modules
    while [ $# -gt 2 ]; do
        case $1 in
        --fresh) fresh=1 ;;
        --with-demo) demo=(--with-demo) ;;
        *) die "ensure_database does not know $1." ;;
        esac
        shift
    done
    name=$1 modules=$2
    exec 7>>"$STATE/database.lock"
    flock 7
    name_templates "$modules" "${demo[@]}"
    if [ -n "$fresh" ] || [ "$(database_origin "$name")" != "$ADDON_TEMPLATE" ]; then
        build_template "$BASE_TEMPLATE" "" "$BASE_MODULES" || exit 1
        build_template "$ADDON_TEMPLATE" "$BASE_TEMPLATE" "$modules" "${demo[@]}" || exit 1
        drop_database "$name" || die "the database $name cannot be dropped."
        copy_database "$ADDON_TEMPLATE" "$name" || die "the database $name cannot be made."
        set_database_origin "$name" "$ADDON_TEMPLATE"
    fi
    exec 7>&-
}

# The template a database was copied from, kept as its comment.
database_origin() {
    psql -XAtq -d postgres -c "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '$1'"
}

set_database_origin() { psql -Xq -d postgres -c "COMMENT ON DATABASE \"$1\" IS '$2'"; }

# Databases of runs that were killed before they could drop their own.
drop_orphans() {
    local database
    while read -r database; do
        [ -z "$database" ] || kill -0 "${database##*_}" 2>/dev/null || drop_database "$database" || true
    done < <(psql -XAtq -d postgres -c "SELECT datname FROM pg_database WHERE datname ~ '^emsp_(test|bench|e2e)_([a-z]+_)?[0-9]+$'")
}
