resource "firn_ca_pool" "devices" {
  cluster      = firn_cluster.orders.id
  name         = "devices"
  certificates = [file("${path.module}/devices-ca.pem")]

  mapping = {
    source = "subject"
    rules  = "RULE:^CN=([^,]+).*$/$1/,DEFAULT"
  }
}
