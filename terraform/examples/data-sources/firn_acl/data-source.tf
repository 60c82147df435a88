data "firn_acl" "checkout_writes" {
  cluster = data.firn_cluster.orders.id
  id      = "acl_abcdefghijklmnopqrstuvwxyz"
}
