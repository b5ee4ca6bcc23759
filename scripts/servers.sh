# shellcheck shell=bash
# Database servers for tests: start_servers and bury, for scripts/with-servers; start_tls_servers for the tests of TLS.
# Sourced, never run.

# Tries of one server: another process may take a free port first.
port_tries=5

# A port on loopback that nobody listens on, below the range from which the system itself gives ports away.
free_port() {
  local port
  while :; do
    port=$((RANDOM % 12000 + 20000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
  done
  echo "$port"
}

# The newest program of a name: on the PATH, or where Debian and others keep a server's programs.
program() {
  local found
  found=$(command -v "$1" || find /usr/lib/postgresql /usr/pgsql-* /usr/sbin /usr/libexec -name "$1" -type f -perm -1 2>/dev/null | sort -V | tail -n 1)
  if [ -z "$found" ]; then
    echo "there is no $1 here; scripts/test installs it" >&2
    return 1
  fi
  echo "$found"
}

# PostgreSQL refuses to run as root: another user does it then.
as_postgres=()
postgres_user=$(id -un)
if [ "$(id -u)" -eq 0 ]; then
  postgres_user=$(id -un postgres 2>/dev/null || echo nobody)
  as_postgres=(setpriv --reuid "$postgres_user" --clear-groups --inh-caps=-all)
fi

# Usage: start_postgres FOLDER [OPTION OF THE SERVER…]
start_postgres() {
  local folder=$1 initdb postgres pg_isready port try
  shift
  initdb=$(program initdb) && postgres=$(program postgres) && pg_isready=$(program pg_isready)
  mkdir "$folder/postgres"
  echo pw >"$folder/postgres/password"
  chown -R "$postgres_user" "$folder/postgres"
  (cd "$folder/postgres" && "${as_postgres[@]}" "$initdb" --pgdata data --no-sync --encoding UTF8 --locale C --username night \
    --auth scram-sha-256 --pwfile password) >"$folder/postgres.log" 2>&1
  for ((try = 0; try < port_tries; try++)); do
    port=$(free_port)
    starter "$folder/postgres.start" "${as_postgres[@]}" "$postgres" -D "$folder/postgres/data" -p "$port" \
      -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200 -c fsync=off \
      -c full_page_writes=off -c autovacuum=off -c timezone=America/New_York -c max_wal_size=4GB "$@"
    "$folder/postgres.start" >>"$folder/postgres.log" 2>&1 &
    if answers "$!" "$pg_isready" -q -h 127.0.0.1 -p "$port" -U night -d postgres; then
      echo "export NIGHTJOB_TEST_POSTGRES=postgres://night:pw@127.0.0.1:$port/postgres" >"$folder/postgres.environment"
      return 0
    fi
  done
  tail -n 20 "$folder/postgres.log" >&2
  return 1
}

# Usage: start_mariadb FOLDER [OPTION OF THE SERVER…]
start_mariadb() {
  local folder=$1 mariadbd install port try
  shift
  mariadbd=$(program mariadbd) && install=$(program mariadb-install-db)
  local own=(--no-defaults "--datadir=$folder/mariadb" --innodb-log-file-size=16M --debug-no-sync)
  if [ "$(id -u)" -eq 0 ]; then own+=(--user=root); fi
  "$install" "${own[@]}" --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve \
    >"$folder/mariadb.log" 2>&1
  cat >"$folder/mariadb.sql" <<END
CREATE USER IF NOT EXISTS night@'%' IDENTIFIED BY 'pw';
GRANT ALL ON *.* TO night@'%' WITH GRANT OPTION;
CREATE DATABASE IF NOT EXISTS night;
SET GLOBAL sql_select_limit = 200;
END
  for ((try = 0; try < port_tries; try++)); do
    port=$(free_port)
    starter "$folder/mariadb.start" "$mariadbd" "${own[@]}" --port="$port" --bind-address=127.0.0.1 \
      --socket="$folder/mariadb.sock" --pid-file="$folder/mariadb.pid" --init-file="$folder/mariadb.sql" \
      --skip-name-resolve --max-connections=300 --innodb-flush-log-at-trx-commit=2 --default-time-zone=-05:00 \
      --character-set-server=latin1 --local-infile=1 "$@"
    "$folder/mariadb.start" >>"$folder/mariadb.log" 2>&1 &
    if answers "$!" grep -q "port: $port" "$folder/mariadb.log"; then
      echo "export NIGHTJOB_TEST_MYSQL=mysql://night:pw@127.0.0.1:$port/night" >"$folder/mariadb.environment"
      return 0
    fi
  done
  tail -n 20 "$folder/mariadb.log" >&2
  return 1
}

# Writes a script that becomes the server.
starter() {
  local file=$1
  shift
  { printf '#!/usr/bin/env bash\nexec'; printf ' %q' "$@"; echo; } >"$file"
  chmod 755 "$file"
}

# Whether a command succeeds while a process lives; half a minute at most.
answers() {
  local server=$1 try
  shift
  for ((try = 0; try < 600; try++)); do
    if "$@" 2>/dev/null; then return 0; fi
    if ! kill -0 "$server" 2>/dev/null; then return 1; fi
    sleep 0.05
  done
  return 1
}

# Drivers as files, whatever the machine's own odbcinst.ini calls them; a driver that is not there has no data source.
write_odbc() {
  local folder=$1 name driver host=127.0.0.1
  for name in postgres mariadb sqlite; do
    case $name in postgres) driver=psqlodbcw.so ;; mariadb) driver=libmaodbc.so ;; sqlite) driver=libsqlite3odbc.so ;; esac
    driver=$(find /usr/lib /usr/lib64 /usr/local/lib -name "$driver" 2>/dev/null | head -n 1)
    if [ -z "$driver" ]; then continue; fi
    printf '[nightjob_%s]\nDriver=%s\n' "$name" "$driver" >>"$folder/odbcinst.ini"
    printf '[nightjob_%s]\nDriver=nightjob_%s\n' "$name" "$name" >>"$folder/odbc.ini"
    if [ "$name" != sqlite ]; then
      . "$folder/$name.environment"
      local url=${NIGHTJOB_TEST_POSTGRES:-}
      if [ "$name" = mariadb ]; then url=$NIGHTJOB_TEST_MYSQL; fi
      url=${url##*:}
      printf 'Servername=%s\nServer=%s\nPort=%s\nDatabase=%s\nUsername=night\nUser=night\nPassword=pw\n' \
        "$host" "$host" "${url%%/*}" "${url##*/}" >>"$folder/odbc.ini"
    fi
  done
}

# Both servers at the same time, then what the command needs to know of them.
starting=()
start_servers() {
  local folder=$1 one
  start_postgres "$folder" &
  starting=($!)
  start_mariadb "$folder" &
  starting+=($!)
  for one in "${starting[@]}"; do wait "$one"; done
  starting=()
  touch "$folder/odbc.ini" "$folder/odbcinst.ini"
  write_odbc "$folder"
  {
    cat "$folder/postgres.environment" "$folder/mariadb.environment"
    printf 'export NIGHTJOB_TEST_SERVERS=%q ODBCINI=%q ODBCSYSINI=%q\n' "$folder" "$folder/odbc.ini" "$folder"
  } >"$folder/environment"
}

# In FOLDER: ca.pem, and stranger.pem, an authority that vouches for nobody here; server.pem with server.key for the
# name localhost and no address; expired.pem, the same and out of date.
make_certificates() (
  cd "$1"
  key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }
  for authority in ca stranger; do
    key "$authority.key"
    openssl req -x509 -new -key "$authority.key" -subj "/CN=nightjob test $authority" -days 30 -out "$authority.pem"
  done
  key server.key
  openssl req -new -key server.key -subj '/CN=nightjob test server' -out server.csr
  printf '%s\n' basicConstraints=critical,CA:FALSE subjectAltName=DNS:localhost extendedKeyUsage=serverAuth >extensions
  printf '%s\n' '[ca]' default_ca=night '[night]' database=issued new_certs_dir=. rand_serial=yes default_md=sha256 \
    policy=any unique_subject=no '[any]' commonName=supplied >ca.conf
  touch issued
  issue() { openssl ca -batch -notext -config ca.conf -cert ca.pem -keyfile ca.key -in server.csr -extfile extensions "$@"; }
  issue -days 30 -out server.pem
  issue -startdate 20200101000000Z -enddate 20200102000000Z -out expired.pem
)

# A second pair that speaks TLS, in FOLDER/tls, beside the pair that does not: whoever offers TLS is spoken to over TLS,
# and what counts packets or seconds would count others. Started by the first test that asks, ended with the first pair;
# certificates in tls/certificates, addresses in tls/*.environment.
start_tls_servers() (
  exec {lock}>"$1/tls.lock"
  flock "$lock"
  if [ -e "$1/tls/started" ]; then exit 0; fi
  folder=$1/tls certificates=$1/tls/certificates
  mkdir -m 711 "$folder" "$certificates"
  make_certificates "$certificates" >"$folder/certificates.log" 2>&1
  # PostgreSQL takes no key that others may read.
  cp "$certificates/server.key" "$certificates/postgres.key"
  chmod 600 "$certificates/postgres.key"
  chown "$postgres_user" "$certificates/postgres.key"
  start_postgres "$folder" -c ssl=on -c ssl_cert_file="$certificates/server.pem" \
    -c ssl_key_file="$certificates/postgres.key" {lock}>&- &
  starting=($!)
  start_mariadb "$folder" --ssl-ca="$certificates/ca.pem" --ssl-cert="$certificates/server.pem" \
    --ssl-key="$certificates/server.key" {lock}>&- &
  starting+=($!)
  for one in "${starting[@]}"; do wait "$one"; done
  touch "$folder/started"
)

# Where the start was broken off, nobody may go on with it.
stop_starting() {
  if [ "${#starting[@]}" -gt 0 ]; then kill "${starting[@]}" 2>/dev/null || true; fi
}

# Process ids of the servers of a folder, also of those that a test started again, or that had only begun to start.
server_processes() {
  local folder=$1 process
  for process in /proc/[0-9]*; do
    case $(cat "$process/comm" 2>/dev/null) in
      postgres | initdb | mariadbd) if grep -qzs "$folder/" "$process/cmdline"; then echo "${process#/proc/}"; fi ;;
    esac
  done
}

# Waits until its input ends, which is when nobody needs the servers any more; then nothing is left of them.
bury() {
  local folder=$1 try pids
  trap '' INT TERM HUP
  cat >/dev/null
  for ((try = 0; try < 200; try++)); do
    pids=$(server_processes "$folder")
    if [ -z "$pids" ]; then break; fi
    # QUIT: PostgreSQL's immediate shutdown takes its shared memory along.
    kill -"$(if [ "$try" -lt 40 ]; then echo QUIT; else echo KILL; fi)" $pids 2>/dev/null || true
    sleep 0.05
  done
  rm -rf "$folder"
}
