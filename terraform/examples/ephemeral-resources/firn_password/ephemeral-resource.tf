ephemeral "firn_password" "checkout" {}

resource "firn_scram_credential" "checkout" {
  cluster             = firn_cluster.orders.id
  service_account     = firn_service_account.checkout.id
  password_wo         = ephemeral.firn_password.checkout.result
  password_wo_version = 1
}
