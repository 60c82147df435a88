ephemeral "firn_api_key_secret" "ci" {}

resource "firn_api_key" "ci" {
  service_account   = firn_service_account.checkout.id
  secret_wo         = ephemeral.firn_api_key_secret.ci.result
  secret_wo_version = 1
}
