resource "firn_role_binding" "checkout" {
  principal = firn_service_account.checkout.id
  role      = "developer"
  scope     = firn_cluster.orders.id
}
