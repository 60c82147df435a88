data "firn_topic" "orders" {
  cluster = data.firn_cluster.orders.id
  name    = "orders"
}
