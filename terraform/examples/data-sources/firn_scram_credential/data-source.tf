data "firn_scram_credential" "checkout" {
  cluster = data.firn_cluster.orders.id
  id      = "scr_abcdefghijklmnopqrstuvwxyz"
}
