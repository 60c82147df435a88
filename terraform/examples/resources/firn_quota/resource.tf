resource "firn_quota" "checkout" {
  cluster            = firn_cluster.orders.id
  user               = firn_service_account.checkout.id
  producer_byte_rate = 10485760
  consumer_byte_rate = 20971520
}

# Whoever has none of their own.
resource "firn_quota" "others" {
  cluster            = firn_cluster.orders.id
  user               = "<default>"
  producer_byte_rate = 1048576
}
