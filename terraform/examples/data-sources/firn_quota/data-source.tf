data "firn_quota" "others" {
  cluster = data.firn_cluster.orders.id
  user    = "<default>"
}
