data "firn_identity_provider" "login" {
  cluster = data.firn_cluster.orders.id
  name    = "login"
}
