# shellcheck shell=bash
# What the scripts share; sourced, never run.

# Says what comes next, on stderr, so that a failure has a place.
step() { printf '\n== %s\n' "$*" >&2; }

# Runs tests with nextest where it is installed, else with cargo itself. Takes what both understand: --lib, --test NAME.
run_tests() {
  if cargo nextest --version >/dev/null 2>&1; then
    local profile=default
    if [ -n "${CI:-}" ]; then profile=ci; fi
    cargo nextest run --profile "$profile" "$@"
  else
    cargo test "$@"
  fi
}

# Whether programs can be linked with the ODBC driver manager.
has_odbc() {
  printf 'int SQLAllocHandle(); int main() { return SQLAllocHandle == 0; }' |
    cc -x c -o /dev/null - -lodbc 2>/dev/null
}

# Runs a command and holds its exit code against the expected one.
expect() {
  local expected=$1 code=0
  shift
  "$@" </dev/null || code=$?
  if [ "$code" -ne "$expected" ]; then
    printf 'exit %s instead of %s: %s\n' "$code" "$expected" "$*" >&2
    return 1
  fi
}
