resource "firn_cluster" "orders" {
  project = firn_project.shop.id
  name    = "orders"

  limits = {
    topics     = 500
    partitions = 2000
  }

  # Set to false, and apply that, before the cluster can be destroyed. It is true if it is left out.
  deletion_protection = true

  timeouts {
    create = "10m"
  }
}
