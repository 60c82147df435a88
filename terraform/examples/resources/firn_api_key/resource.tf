# Made on this machine, in no plan and in no state.
ephemeral "firn_api_key_secret" "ci" {}

resource "firn_api_key" "ci" {
  service_account   = firn_service_account.checkout.id
  name              = "ci"
  secret_wo         = ephemeral.firn_api_key_secret.ci.result
  secret_wo_version = 1

  # A higher version makes the next key first, and revokes this one at the end of the same apply.
  lifecycle {
    create_before_destroy = true
  }
}

# Where the whole key is kept: any attribute that is write-only, under the same version. If an apply is cut off between the two, count the
# version up: the next run has another secret.
resource "aws_secretsmanager_secret_version" "ci" {
  secret_id                = aws_secretsmanager_secret.ci.id
  secret_string_wo         = provider::firn::api_key(firn_api_key.ci.id, ephemeral.firn_api_key_secret.ci.result)
  secret_string_wo_version = firn_api_key.ci.secret_wo_version
}
