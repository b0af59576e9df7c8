#!/usr/bin/env bash
# Makes the certificates of the TLS gateway: certificates.sh DIR
#   ca.pem, ca.key                    a private authority
#   server.pem, server.key            127.0.0.1 and localhost, signed by that authority
#   self-signed.pem, self-signed.key  127.0.0.1 and localhost, signed by itself, with CA:TRUE: what `openssl req -x509`
#                                     makes by default, so what users have. Strict verifiers refuse it as a server's.
set -euo pipefail

directory=${1:?usage: certificates.sh DIR}
readonly DAYS=30

main() {
  mkdir -p -- "$directory"
  cd "$directory"
  write_profiles
  issue_self_signed ca authority 's3core test authority'
  issue_self_signed self-signed self_signed 's3core test self-signed'
  openssl req -config profiles.cnf -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
    -subj '/CN=s3core test gateway' -keyout server.key -out server.csr
  openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days $DAYS \
    -extfile profiles.cnf -extensions server -out server.pem
}

write_profiles() {
  cat >profiles.cnf <<'PROFILES'
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = IP:127.0.0.1, DNS:localhost
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[self_signed]
basicConstraints = critical, CA:TRUE
subjectAltName = IP:127.0.0.1, DNS:localhost
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
PROFILES
}

# issue_self_signed FILE PROFILE COMMON_NAME
issue_self_signed() {
  openssl req -config profiles.cnf -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days $DAYS \
    -extensions "$2" -subj "/CN=$3" -keyout "$1.key" -out "$1.pem"
}

main
