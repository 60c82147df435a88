data "firn_cluster" "orders" {
  project = data.firn_project.shop.id
  name    = "orders"
}
