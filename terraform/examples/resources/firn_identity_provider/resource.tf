resource "firn_identity_provider" "login" {
  cluster         = firn_cluster.orders.id
  name            = "login"
  issuer          = "https://login.example.com"
  audiences       = ["kafka"]
  principal_claim = "client_id"
}
