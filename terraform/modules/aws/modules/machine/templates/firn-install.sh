#!/usr/bin/env bash
# Sets a new machine up, once. What needs the network is tried for some minutes.
set -euo pipefail

again() {
    local attempt
    for attempt in {1..30}; do
        if "$@"; then return; fi
        echo "firn-install: attempt $attempt failed: $*" >&2
        sleep 10
    done
    return 1
}

id firn >/dev/null 2>&1 || useradd --system --home-dir /var/lib/firn --shell /sbin/nologin firn
install -d -m 0755 /etc/firn
install -d -m 0750 -o firn -g firn /var/log/firn

again dnf -q -y install jq logrotate amazon-cloudwatch-agent
again curl -sSf -o /etc/firn/rds-ca.pem https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem

again aws s3 cp --region ${region} --only-show-errors 's3://${binary.bucket}/${binary.key}' /usr/local/bin/firn.new
echo '${binary.sha256}  /usr/local/bin/firn.new' | sha256sum --check --quiet
chmod 0755 /usr/local/bin/firn.new
# One for another processor, or for a newer C library, ends here.
/usr/local/bin/firn.new --version
mv -f /usr/local/bin/firn.new /usr/local/bin/firn

/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s \
    -c file:/opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.json

systemctl daemon-reload
systemctl enable --now firn.service
%{ if role == "broker" ~}
systemctl enable --now firn-certificate.timer
%{ endif ~}
