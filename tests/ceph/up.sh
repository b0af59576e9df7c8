#!/usr/bin/env bash
# Starts a real Ceph on one node for tests: one monitor, manager and OSD, and one or more radosgw, all on 127.0.0.1.
# Usage and options: up.sh --help. Stop it with down.sh DIR.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: up.sh DIR [options]

Starts a one-node Ceph whose whole state lies in DIR, waits until every gateway answers a signed request,
and writes DIR/env, a file of shell assignments with the endpoints and keys. DIR must be new, empty, or left by
an earlier cluster that no longer runs.

  --gateways N      radosgw on the gateway's own defaults (default 1, at most 8)
  --tls             one more radosgw with two TLS ports: a certificate signed by a private CA, and a self-signed one
  --tcp-nodelay     one more radosgw with the beast option tcp_nodelay=1
  --ops-log         one more radosgw that writes a line of JSON for each request to DIR/rgw-ops-log.json
  --sts             one more radosgw with the Security Token Service, which lets sessions last 3 s to 12 h
  --store KIND      memstore (default, in RAM) or bluestore (a sparse file in DIR; small PUTs take twice as long)
  --capacity BYTES  size of the OSD; memory or disk is taken as objects are written, not at the start; memstore takes
                    two bytes of memory for each byte stored. Default: memstore a third of the memory, between 4 and
                    8 GiB; bluestore half of the free disk, between 4 and 40 GiB
USAGE
}

fail() { printf 'up.sh: %s\n' "$*" >&2; exit 1; }

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly ACCESS_KEY=devkey SECRET_KEY=devsecret
readonly FIRST_PORT=20000 PORTS_IN_BLOCK=16 BLOCKS=750   # 20000 to 31999: below the kernel's range for outgoing connections (32768 and up)

directory='' gateways=1 tls=no tcp_nodelay=no ops_log=no sts=no store=memstore capacity=''
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --gateways) gateways=${2:?--gateways needs a number}; shift ;;
    --tls) tls=yes ;;
    --tcp-nodelay) tcp_nodelay=yes ;;
    --ops-log) ops_log=yes ;;
    --sts) sts=yes ;;
    --store) store=${2:?--store needs memstore or bluestore}; shift ;;
    --capacity) capacity=${2:?--capacity needs a number of bytes}; shift ;;
    -*) usage >&2; fail "unknown option $1" ;;
    *) [ -z "$directory" ] || fail "more than one DIR: $directory and $1"; directory=$1 ;;
  esac
  shift
done
[ -n "$directory" ] || { usage >&2; exit 2; }
[[ $gateways =~ ^[1-8]$ ]] || fail "--gateways $gateways: a number from 1 to 8"
[[ $store =~ ^(memstore|bluestore)$ ]] || fail "--store $store: memstore or bluestore"
[[ $capacity =~ ^[0-9]*$ ]] || fail "--capacity $capacity: a whole number of bytes"
directory=$(realpath -m -- "$directory")
[[ $directory =~ ^[A-Za-z0-9/._+-]+$ ]] || fail "DIR $directory: only letters, digits and / . _ + - (it goes into ceph.conf and command lines)"
# A Unix socket's path has at most 107 bytes; the longest here is DIR/client.rgw-tcp-nodelay.asok.
[ ${#directory} -le 75 ] || fail "DIR $directory is longer than 75 characters: Ceph's admin sockets would not fit below it"
for program in ceph-mon ceph-mgr ceph-osd ceph radosgw radosgw-admin ceph-authtool monmaptool openssl curl; do
  command -v "$program" >/dev/null || fail "$program is missing: run $HERE/install.sh"
done

main() {
  close_inherited_files
  choose_directory
  trap 'stop_after_failure $?' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  choose_ports
  write_configuration
  start_cluster
  make_zone
  [ "$tls" = no ] || quietly "$HERE/certificates.sh" "$directory/tls"
  start_gateways
  make_user
  wait_for_gateways
  write_environment
  trap - EXIT
  cat "$directory/env"
}

# The daemons inherit what they do not close. A pipe or a lock of the caller would stay open for as long as they run,
# and whoever waits for its end would wait too. 255 is the one bash reads this script from.
close_inherited_files() {
  local file number
  for file in "/proc/$$/fd/"*; do
    number=${file##*/}
    if [ "$number" -gt 2 ] && [ "$number" -ne 255 ]; then
      exec {number}>&-
    fi
  done
}

choose_directory() {
  mkdir -p -- "$directory"
  if [ -f "$directory/ceph.conf" ]; then
    [ -z "$("$HERE/down.sh" --list "$directory")" ] || fail "a cluster already runs in $directory: stop it with $HERE/down.sh $directory"
    find "$directory" -mindepth 1 -delete   # emptied, not replaced: for another release it is a mount point
  fi
  [ -z "$(ls -A -- "$directory")" ] || fail "$directory is neither empty nor a cluster's: give another DIR"
  cd "$directory"
  mkdir mon mgr osd crash
}

# Whatever was started so far must not outlive a failed or interrupted start; the logs stay, they tell the reason.
# shellcheck disable=SC2317  # the trap calls it
stop_after_failure() {
  local status=$1 log
  trap - EXIT
  trap '' INT TERM
  for log in "$directory"/*.log; do
    [ ! -s "$log" ] || { printf -- '--- end of %s\n' "$log"; tail -n 8 "$log" | cut -c 1-300; } >&2
  done
  printf 'up.sh: the start failed; logs are kept in %s\n' "$directory" >&2
  "$HERE/down.sh" --keep "$directory" >&2 || true
  exit "$status"
}

# A block of neighbouring ports that nobody listens on. The first guess follows from the process id, so that
# two starts at the same moment look at different blocks without having to agree on a lock.
choose_ports() {
  local block=$(($$ % BLOCKS)) attempt port
  for attempt in $(seq 50); do
    base_port=$((FIRST_PORT + block * PORTS_IN_BLOCK))
    for ((port = base_port; port < base_port + PORTS_IN_BLOCK; port++)); do
      if (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
        block=$((RANDOM % BLOCKS))
        continue 2
      fi
    done
    return 0
  done
  fail "no $PORTS_IN_BLOCK neighbouring free ports found in $attempt attempts"
}

# memstore: a third of the memory, because the OSD takes two bytes of memory for each byte stored (it keeps the message that
# brought an object together with its attributes), and Spark and the tests need the rest.
# bluestore: a sparse file, at most half of the free disk.
default_capacity() {
  if [ "$store" = memstore ]; then
    awk '/^MemTotal:/ { printf "%.0f", $2 * 1024 / 3 }' /proc/meminfo | at_most 8 | at_least 4
  else
    df --output=avail -B1 "$directory" | awk 'NR == 2 { printf "%.0f", $1 / 2 }' | at_most 40 | at_least 4
  fi
}

# at_most GIBIBYTES, at_least GIBIBYTES: filters of a number of bytes.
at_most() { awk -v limit="$1" '{ limit *= 2^30; printf "%.0f", ($1 < limit) ? $1 : limit }'; }
at_least() { awk -v limit="$1" '{ limit *= 2^30; printf "%.0f", ($1 > limit) ? $1 : limit }'; }

write_configuration() {
  fsid=$(cat /proc/sys/kernel/random/uuid)
  class_directory=$(dirname "$(find /usr/lib -name libcls_rgw.so -print -quit)")
  [ "$class_directory" != . ] || fail "libcls_rgw.so is not below /usr/lib: the package ceph-osd is incomplete, run $HERE/install.sh"
  monitor_addresses="[v2:127.0.0.1:$base_port,v1:127.0.0.1:$((base_port + 1))]"
  capacity=${capacity:-$(default_capacity)}
  # public/cluster addr: otherwise the OSD and the manager listen on every interface.
  # osd class dir: cls_rgw lies in a directory per architecture on Debian.
  # paxos propose interval: each new pool waits for one proposal; with the default of 1 s a start takes 14 s instead of 4.
  # rgw lc debug interval: a lifecycle day lasts 10 s. rgw gc *: deleted data is really gone after 5 s; the default
  # of 2 h would fill an OSD in RAM, and a full OSD blocks writes instead of failing.
  # rgw crypt s3 kms *: keys for SSE-KMS out of this file, for tests only; the key's id is "testkey".
  cat >ceph.conf <<CONFIGURATION
[global]
fsid = $fsid
mon host = $monitor_addresses
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
keyring = $directory/keyring
run dir = $directory
pid file = $directory/\$name.pid
log file = $directory/\$name.log
admin socket = $directory/\$name.asok
crash dir = $directory/crash
mon data = $directory/mon
mgr data = $directory/mgr
osd data = $directory/osd
osd class dir = $class_directory
osd objectstore = $store
memstore device bytes = $capacity
bluestore block size = $capacity
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon warn on pool no redundancy = false
mon allow pool size one = true
mon allow pool delete = true
mon max pg per osd = 1000
paxos propose interval = 0.05
auth allow insecure global id reclaim = false
rgw lc debug interval = 10
rgw gc obj min wait = 5
rgw gc processor period = 5
rgw gc processor max time = 60
rgw gc max concurrent io = 64
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = testkey=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=

# The programs that up.sh runs are no daemons: neither pid file nor socket nor log of their own.
[client.admin]
pid file =
admin socket =
log file =
CONFIGURATION
}

# Ceph's programs talk on standard error even when all is well: what they say counts only when a start fails.
# They also wait without end for a daemon that died, hence the limit (seconds).
quietly() { timeout --foreground 120 "$@" >>start.log 2>&1; }

start_cluster() {
  local configuration=$directory/ceph.conf uuid
  # cephx stays on: with authentication off, radosgw of Ceph 16 hangs.
  quietly ceph-authtool --create-keyring keyring --gen-key -n mon. --cap mon 'allow *'
  quietly ceph-authtool keyring --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
  quietly ceph-authtool keyring --gen-key -n mgr.x --cap mon 'allow profile mgr' --cap osd 'allow *'
  quietly ceph-authtool keyring --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *' --cap mgr 'allow profile osd'
  quietly ceph-authtool keyring --gen-key -n client.rgw --cap mon 'allow rw' --cap osd 'allow rwx'
  quietly monmaptool --create --addv a "$monitor_addresses" --fsid "$fsid" monmap
  # Every program gets the absolute path of ceph.conf: down.sh recognises this cluster's processes by that argument.
  quietly ceph-mon -c "$configuration" --mkfs -i a --monmap monmap --keyring keyring
  quietly ceph-mon -c "$configuration" -i a
  quietly ceph-mgr -c "$configuration" -i x
  uuid=$(cat /proc/sys/kernel/random/uuid)
  quietly ceph -c "$configuration" osd new "$uuid"
  quietly ceph-osd -c "$configuration" -i 0 --mkfs --osd-uuid "$uuid"
  quietly ceph-osd -c "$configuration" -i 0
}

# The second storage class has to exist before the gateways start: they read the zone once.
make_zone() {
  local administer=(radosgw-admin -c "$directory/ceph.conf")
  quietly "${administer[@]}" user list   # makes the default zone and zonegroup
  quietly "${administer[@]}" zonegroup placement add --rgw-zonegroup default \
    --placement-id default-placement --storage-class COLD
  quietly "${administer[@]}" zone placement add --rgw-zone default \
    --placement-id default-placement --storage-class COLD \
    --data-pool default.rgw.cold.data --compression zlib
}

start_gateways() {
  local number port=$((base_port + 2)) tls_port self_signed_port
  endpoints=() tls_endpoint='' self_signed_endpoint='' nodelay_endpoint='' ops_log_endpoint='' sts_endpoint=''
  for ((number = 0; number < gateways; number++)); do
    start_gateway "rgw-$number" "beast endpoint=127.0.0.1:$port"
    endpoints+=("http://127.0.0.1:$port")
    port=$((port + 1))
  done
  if [ "$tcp_nodelay" = yes ]; then
    start_gateway rgw-tcp-nodelay "beast endpoint=127.0.0.1:$port tcp_nodelay=1"
    nodelay_endpoint=http://127.0.0.1:$port
    port=$((port + 1))
  fi
  if [ "$ops_log" = yes ]; then
    # Its own gateway: writing the log costs time.
    start_gateway rgw-ops-log "beast endpoint=127.0.0.1:$port" --rgw-enable-ops-log=true --rgw-ops-log-rados=false \
      --rgw-ops-log-file-path="$directory/rgw-ops-log.json"
    ops_log_endpoint=http://127.0.0.1:$port
    port=$((port + 1))
  fi
  if [ "$sts" = yes ]; then
    # Its own gateway: with STS on, a gateway no longer says that it does not know an access key.
    start_gateway rgw-sts "beast endpoint=127.0.0.1:$port" --rgw-s3-auth-use-sts=true --rgw-sts-key=0123456789abcdef \
      --rgw-sts-min-session-duration=3
    sts_endpoint=http://127.0.0.1:$port
    port=$((port + 1))
  fi
  if [ "$tls" = yes ]; then
    # One process, two frontends: a beast frontend has a single certificate.
    tls_port=$port self_signed_port=$((port + 1))
    start_gateway rgw-tls "$(tls_frontend "$tls_port" server), $(tls_frontend "$self_signed_port" self-signed)"
    tls_endpoint=https://127.0.0.1:$tls_port
    self_signed_endpoint=https://127.0.0.1:$self_signed_port
  fi
}

tls_frontend() {
  local port=$1 name=$2
  echo "beast ssl_endpoint=127.0.0.1:$port ssl_certificate=$directory/tls/$name.pem ssl_private_key=$directory/tls/$name.key"
}

start_gateway() {
  local name=$1 frontends=$2
  shift 2
  quietly radosgw -c "$directory/ceph.conf" -n client.rgw --rgw-frontends="$frontends" \
    --log-file="$directory/$name.log" --admin-socket="$directory/$name.asok" --pid-file="$directory/$name.pid" "$@"
}

# The capabilities are for tests that need another user, a quota or a role: they ask the gateway for them.
make_user() {
  quietly radosgw-admin -c "$directory/ceph.conf" user create --uid=dev --display-name=dev --max-buckets=100000 \
    --access-key=$ACCESS_KEY --secret-key=$SECRET_KEY --caps='users=*;buckets=*;roles=*;oidc-provider=*'
}

wait_for_gateways() {
  local endpoint
  for endpoint in "${endpoints[@]}" $nodelay_endpoint $ops_log_endpoint $sts_endpoint; do wait_for_gateway "$endpoint"; done
  [ "$tls" = no ] || wait_for_gateway "$tls_endpoint" --cacert tls/ca.pem
  [ "$tls" = no ] || wait_for_gateway "$self_signed_endpoint" --cacert tls/self-signed.pem
}

# "Answers" means a signed request gets 200, not that the port is open.
wait_for_gateway() {
  local endpoint=$1 status=''
  # curl 7.88 does not send the hash of the body by itself, and the gateway refuses a request without it.
  local empty_sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
  shift
  for _ in $(seq 120); do
    status=$(curl -s -o /dev/null -w '%{http_code}' -m 5 --noproxy '*' "$@" \
      -H "x-amz-content-sha256: $empty_sha256" --aws-sigv4 aws:amz:us-east-1:s3 --user $ACCESS_KEY:$SECRET_KEY "$endpoint/") || true
    [ "$status" != 200 ] || return 0
    sleep 0.25
  done
  fail "$endpoint does not answer a signed request (last status: $status)"
}

write_environment() {
  local version
  version=$(radosgw --version)   # "ceph version 16.2.15 (hash) pacific (stable)"
  {
    echo "S3CORE_TEST_ENDPOINT=${endpoints[0]}"
    echo "S3CORE_TEST_ENDPOINTS=$(IFS=,; echo "${endpoints[*]}")"
    echo "S3CORE_TEST_ACCESS_KEY=$ACCESS_KEY"
    echo "S3CORE_TEST_SECRET_KEY=$SECRET_KEY"
    [ -z "$nodelay_endpoint" ] || echo "S3CORE_TEST_NODELAY_ENDPOINT=$nodelay_endpoint"
    if [ -n "$ops_log_endpoint" ]; then
      echo "S3CORE_TEST_OPS_LOG_ENDPOINT=$ops_log_endpoint"
      echo "S3CORE_TEST_OPS_LOG_FILE=$directory/rgw-ops-log.json"
    fi
    [ -z "$sts_endpoint" ] || echo "S3CORE_TEST_STS_ENDPOINT=$sts_endpoint"
    if [ "$tls" = yes ]; then
      echo "S3CORE_TEST_TLS_ENDPOINT=$tls_endpoint"
      echo "S3CORE_TEST_CA_FILE=$directory/tls/ca.pem"
      echo "S3CORE_TEST_SELF_SIGNED_ENDPOINT=$self_signed_endpoint"
      echo "S3CORE_TEST_SELF_SIGNED_FILE=$directory/tls/self-signed.pem"
    fi
    echo "S3CORE_TEST_CEPH_DIR=$directory"
    echo "S3CORE_TEST_CEPH_VERSION=$(awk '{print $3}' <<<"$version")"
    echo "S3CORE_TEST_CEPH_RELEASE=$(awk '{print $5}' <<<"$version")"
    echo "S3CORE_TEST_CEPH_PIDS=$("$HERE/down.sh" --list "$directory" | awk '{print $1}' | paste -s -d ,)"
  } >env.new
  mv env.new env   # complete or absent: others wait for this file
}

main; exit
