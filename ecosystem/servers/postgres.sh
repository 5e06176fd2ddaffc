#!/bin/sh
# PostgreSQL as the tests of tokio-postgres want it: on loopback's port 5433, with a user for each way
# to log in. Prints `ready`, and runs until it is told to end. Needs Debian's package `postgresql`.
set -eu

bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
home=$(mktemp -d)
# The server refuses to run as root.
as_other=""
if [ "$(id -u)" = 0 ]; then
    chown postgres "$home"
    as_other="setpriv --reuid=postgres --regid=postgres --clear-groups"
fi
cd "$home"
server=""
end() {
    [ -z "$server" ] || { kill -INT "$server" && wait "$server" || true; }
    rm -rf "$home"
    exit 0
}
trap end TERM INT

$as_other "$bin/initdb" --no-sync --auth=trust --username=postgres --pgdata="$home/data" >&2
cat >"$home/data/pg_hba.conf" <<RULES
local all all                        trust
host  all pass_user  0.0.0.0/0       password
host  all md5_user   0.0.0.0/0       md5
host  all scram_user 0.0.0.0/0       scram-sha-256
host  all pass_user  ::0/0           password
host  all md5_user   ::0/0           md5
host  all scram_user ::0/0           scram-sha-256
host  all all        0.0.0.0/0       trust
host  all all        ::0/0           trust
RULES
$as_other "$bin/postgres" -D "$home/data" -p 5433 -c fsync=off -c unix_socket_directories="$home" >&2 &
server=$!
until "$bin/pg_isready" -q -h "$home" -p 5433; do sleep 0.1; done
"$bin/psql" -q -h "$home" -p 5433 -U postgres >&2 <<SETUP
CREATE ROLE pass_user PASSWORD 'password' LOGIN;
SET password_encryption TO 'md5';
CREATE ROLE md5_user PASSWORD 'password' LOGIN;
SET password_encryption TO 'scram-sha-256';
CREATE ROLE scram_user PASSWORD 'password' LOGIN;
CREATE EXTENSION hstore;
CREATE EXTENSION citext;
CREATE EXTENSION ltree;
SETUP
echo ready
wait "$server"
