resource "firn_topic" "orders" {
  cluster    = firn_cluster.orders.id
  name       = "orders"
  partitions = 12

  # Only what is named here is compared: what others set besides is left alone.
  configs = {
    "retention.ms"   = "604800000"
    "cleanup.policy" = "delete"
  }
}
