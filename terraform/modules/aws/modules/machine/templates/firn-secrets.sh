#!/usr/bin/env bash
# Puts what firn ${role} must know, and Terraform must not, into /run/firn: a file system in memory, which is the service's alone.
# usage: firn-secrets [certificate]   (the certificate only, which firn reads again by itself when it changes)
set -euo pipefail
umask 077
directory=$${FIRN_RUNTIME:-/run/firn}
owner=$${FIRN_OWNER:-firn:firn}
region=${region}

secret() {
    aws secretsmanager get-secret-value --region "$region" --secret-id "$1" --query SecretString --output text
}

# put NAME: standard input becomes a file whole or not at all, readable by the service and nobody else.
put() {
    cat >"$directory/$1.new"
    chown "$owner" "$directory/$1.new"
    mv -f "$directory/$1.new" "$directory/$1"
}

metadata() {
    local token
    token=$(curl -sSf -m 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token)
    curl -sSf -m 5 -H "X-aws-ec2-metadata-token: $token" "http://169.254.169.254/latest/meta-data/$1"
}
%{ if can(secrets.kafka_certificate) ~}

# {"certificate": "PEM, with those between it and its authority", "private_key": "PEM"}
certificate() {
    local pair chain key
    pair=$(secret '${secrets.kafka_certificate}')
    chain=$(jq -er .certificate <<<"$pair")
    key=$(jq -er .private_key <<<"$pair")
    put tls.crt <<<"$chain"
    put tls.key <<<"$key"
}

certificate
%{ endif ~}
if [ "$${1-}" = certificate ]; then exit; fi

# Everything is asked for before anything is written.
master_key=$(secret '${secrets.master_key}')
password=$(secret '${secrets.database_password}')
%{ if can(secrets.smtp_url) ~}
smtp_url=$(secret '${secrets.smtp_url}')
%{ endif ~}
%{ if role == "broker" ~}
address=$(metadata local-ipv4)
%{ endif ~}
url='${catalog_url}'
catalog=$${url/'%s'/"$password"}

put master.key <<<"$master_key"
{
    echo "FIRN_CATALOG=$catalog"
%{ if can(secrets.smtp_url) ~}
    echo "FIRN_SMTP_URL=$smtp_url"
%{ endif ~}
%{ if role == "broker" ~}
    echo "FIRN_INTERNAL_ADVERTISE=$address"
%{ endif ~}
} | put environment
