data "firn_ca_pool" "devices" {
  cluster = data.firn_cluster.orders.id
  name    = "devices"
}
